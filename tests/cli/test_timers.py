"""`pachyderm timers`: what is to happen at a time."""

import re
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from pachyderm_cli.domain.identifiers import effect_id
from pachyderm_cli.domain.reference import named_id
from tests.cli.outbox import EFFECT, MESSAGE, let_time_pass, letters, post
from tests.cli.running import Command, lines

pytestmark = pytest.mark.usefixtures("outbox_lab")

KEYS = ["id", "name", "message", "to", "due_at", "status", "error", "entity"]
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"
A, B, C = ({"type": "courier", "id": str(named_id("default", "courier", name))} for name in "abc")
LATER_MESSAGE = "0190f5fc-0000-7000-8000-000000000002"
LATER = str(effect_id(UUID(LATER_MESSAGE), 0))


@pytest.fixture
def timed(on_store: Command) -> Command:
    """Return the command where courier `@a` has the timer `tea`, and a message to `@b` after it, and `@c` nothing."""
    on_store.quick("send", "courier:@a", "later", "to=courier:@b", "seconds=900", "--id", LATER_MESSAGE).done()
    on_store.quick("send", "courier:@a", "remind", "name=tea", "seconds=600", "--id", MESSAGE).done()
    post(on_store)
    on_store.quick("send", "courier:@c", "post", "text=x").done()
    return on_store


def names(command: Command, *reference: str) -> list[str | None]:
    """Return the names of the timers that are listed."""
    return [each["name"] for each in command.quick("timers", "list", *reference, "--json").done().documents]


def test_each_timer_is_an_object_with_the_documented_keys(timed: Command) -> None:
    """`timers list --json` prints timers and messages with a time, the earliest first, and nothing else."""
    tea, later = timed("timers", "list", "--json").done().documents
    assert list(tea) == list(later) == KEYS
    assert (tea["id"], tea["name"], tea["message"], tea["to"], tea["entity"]) == (EFFECT, "tea", "Post", A, A)
    assert (later["id"], later["name"], later["message"], later["to"], later["entity"]) == (LATER, None, "Post", B, A)
    assert (tea["status"], tea["error"]) == ("pending", None)
    assert datetime.fromisoformat(later["due_at"]) - datetime.fromisoformat(tea["due_at"]) > timedelta(seconds=200)


def test_the_timers_of_one_entity_can_be_asked_for(timed: Command) -> None:
    """With a reference, in any of its forms, they are those that the entity has set."""
    for reference in ("courier:@a", A["id"], A["id"][:8]):
        assert names(timed, reference) == ["tea", None]
    none = timed("timers", "list", "courier:@c").done()
    assert (none.out, none.err) == ("", "no timers of courier:@c\n")


def test_each_timer_is_one_line_for_people(pachyderm: Command) -> None:
    """Without --json a timer's line has its id, time, entity, name and message; where there is none, a note says so."""
    assert pachyderm("timers", "list").done().err == "no timers in the network 'default'\n"
    pachyderm.quick("send", "courier:@a", "remind", "name=tea", "seconds=600").done()
    pachyderm.quick("send", "courier:@a", "later", "to=courier:@b", "seconds=900").done()
    tea, later = (line.partition("  ")[2] for line in lines(pachyderm.quick("timers", "list").done().out))
    assert re.fullmatch(rf"{TIME}  courier:{A['id']}  Timer tea: Post", tea)
    assert re.fullmatch(rf"{TIME}  courier:{A['id']}  Send Post to courier:{B['id']}", later)


def test_a_timer_is_cancelled_by_its_entity_and_name(timed: Command, store_url: str) -> None:
    """`timers cancel REF NAME` ends it; it never fires, and is kept with a reason."""
    cancelled = timed("timers", "cancel", "courier:@a", "tea", "--json").done().document
    assert list(cancelled) == KEYS
    assert (cancelled["id"], cancelled["status"], cancelled["error"]) == (EFFECT, "discarded", "cancelled by hand")
    assert names(timed) == [None]
    let_time_pass(store_url)
    timed.quick("worker", "--once").done()
    assert "tea" not in letters(timed)
    again = timed.quick("timers", "cancel", "courier:@a", "tea", "--json")
    assert (again.status, again.error["code"]) == (3, "not_found")


def test_a_timer_is_cancelled_by_its_id(timed: Command) -> None:
    """`timers cancel ID`, or a prefix, ends a timer or a message with a time, for the reason that --why gives."""
    (line,) = lines(timed("timers", "cancel", LATER[:-8], "--why", "moved").done().out)
    assert line.startswith(LATER)
    assert line.endswith("  discarded: moved")
    assert names(timed) == ["tea"]


def test_a_misspelt_timer_is_told_the_nearest(timed: Command) -> None:
    """A name that the entity has no timer of is told with those that there are; a message with a time has none."""
    for name in ("teas", ""):
        error = timed.quick("timers", "cancel", "courier:@a", name, "--json").error
        assert error["code"] == "not_found"
        assert f"has no timer {name!r}; " in error["message"]
        assert error["message"].endswith("here is: tea")


def test_what_is_no_timer_is_not_cancelled(timed: Command) -> None:
    """The id of another effect is refused, and it stays."""
    effect = next(
        each["id"]
        for each in timed.quick("effects", "list", "--json").done().documents
        if each["id"] not in (EFFECT, LATER)
    )
    result = timed("timers", "cancel", effect, "--json")
    assert (result.status, result.error["code"]) == (2, "usage")
    assert "is no timer; pachyderm effects discard" in result.error["message"]
    assert timed.quick("effects", "show", effect, "--json").done().document["status"] == "pending"


def test_a_timer_that_fired_is_no_longer_listed(timed: Command, store_url: str) -> None:
    """Once its time has come a worker delivers its message, and it is listed no more."""
    let_time_pass(store_url)
    worked = timed.quick("worker", "--once", "--json").done().documents
    assert {(each["type"], each["status"]) for each in worked} >= {("Timer", "done"), ("Send", "done")}
    assert sorted(letters(timed)) == ["hello", "late", "tea", "x"]
    assert names(timed) == []
