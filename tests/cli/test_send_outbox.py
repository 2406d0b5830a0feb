"""`pachyderm send`, and what it sets off: durable effects, messages to other entities, timers."""

import json
import re

import pytest

from pachyderm_cli.domain.reference import named_id
from tests.cli.outbox import EFFECT, MESSAGE, letters
from tests.cli.running import Command, lines

pytestmark = pytest.mark.usefixtures("outbox_lab")

B = {"type": "courier", "id": str(named_id("default", "courier", "b"))}
PASSING = "courier:@passing"


@pytest.fixture
def bounded(on_store: Command) -> Command:
    """Return the command in a project where a send makes two deliveries before it answers."""
    (on_store.folder / "pachyderm.toml").write_text("[outbox]\ndeliveries = 2\n", encoding="utf-8")
    return on_store


def test_a_durable_effect_is_run_at_once(on_store: Command) -> None:
    """An effect that is delivered at least once is done before the answer, and the outbox says so."""
    sent = on_store("send", "courier:@a", "post", "text=x", "--id", MESSAGE, "--json").done().document
    assert sent["effects"] == [{"id": EFFECT, "type": "Letter", "status": "done", "error": None, "to": None}]
    assert letters(on_store) == ["x"]
    assert on_store.quick("effects", "show", EFFECT, "--json").done().document["status"] == "done"


def test_a_message_to_an_entity_has_its_receiver(on_store: Command) -> None:
    """A delivery's effect has `to`; people see whom it went to, and all that it led to is done."""
    sent = on_store("send", "courier:@a", "forward", "to=courier:@b", "text=x", "--json").done().document
    assert [(each["type"], each["status"], each["to"]) for each in sent["effects"]] == [("Send", "done", B)]
    shown = lines(on_store.quick("send", "courier:@a", "forward", "to=courier:@b", "text=y").done().out)
    assert shown[-1] == f"  effect    Send to courier:{B['id']} done"
    assert letters(on_store) == ["x", "y"]


def test_a_rejected_delivery_is_no_failure(on_store: Command) -> None:
    """What the receiver rejects is told with its reason, and the status is 0."""
    sent = on_store("send", "courier:@a", "offer", "to=courier:@b", "--json").done().document
    assert [(each["status"], each["error"]) for each in sent["effects"]] == [("rejected", "no room")]
    shown = lines(on_store.quick("send", "courier:@a", "offer", "to=courier:@b").done().out)
    assert shown[-1] == f"  effect    Send to courier:{B['id']} rejected: no room"


@pytest.mark.parametrize(
    ("message", "status", "problem"),
    [
        (("post", "text=x", "failing=1"), "pending", "OSError: the pen is broken"),
        (("risk", "text=x"), "parked", "OSError: no ink"),
    ],
)
def test_a_durable_effect_that_failed_leaves_status_8(
    on_store: Command, message: tuple[str, ...], status: str, problem: str
) -> None:
    """To be tried again or parked: the message is committed, the effect's error told, the status 8."""
    as_json, plain = (on_store("send", "courier:@a", *message, *options) for options in (("--json",), ()))
    assert (as_json.status, plain.status) == (8, 8)
    (effect,) = as_json.document["effects"]
    assert effect["status"] == status
    assert effect["error"].startswith(problem)
    *_, error = lines(as_json.err)
    assert json.loads(error)["error"]["code"] == "effect_failed"
    assert "the message is committed (version 1)" in error
    assert re.fullmatch(rf"  effect    \w+ {status}: {problem} .*", lines(plain.out)[-1])


def test_a_timer_is_pending_and_no_failure(on_store: Command) -> None:
    """What is to happen later is pending, without an error, and the status is 0."""
    sent = on_store("send", "courier:@a", "remind", "name=tea", "seconds=600", "--json").done().document
    (effect,) = sent["effects"]
    assert (effect["type"], effect["status"], effect["error"]) == ("Timer", "pending", None)
    assert effect["to"] == sent["entity"]


def test_without_effects_what_is_durable_is_left_to_a_worker(on_store: Command) -> None:
    """--no-effects leaves durable effects and messages pending, says nothing of it, and a worker carries them out."""
    for message in (("post", "text=x"), ("forward", "to=courier:@b", "text=y")):
        result = on_store("send", "courier:@a", *message, "--no-effects", "--json").done()
        assert [effect["status"] for effect in result.document["effects"]] == ["pending"]
        assert result.err == ""
    assert letters(on_store) == []
    on_store.quick("worker", "--once").done()
    assert sorted(letters(on_store)) == ["x", "y"]


def test_what_is_left_is_told(bounded: Command) -> None:
    """A send that set off too much says on standard error how much it left, and a worker does it."""
    result = bounded("send", PASSING, "pass", "times=5", "--json").done()
    assert result.err == "1 delivery was left, since there were too many; pachyderm worker makes them\n"
    assert bounded.quick("inspect", PASSING, "--json").done().document["version"] == 3
    bounded.quick("worker", "--once").done()
    assert bounded.quick("inspect", PASSING, "--json").done().document["version"] == 6
    assert bounded("send", PASSING, "pass", "times=2").done().err == ""


def test_what_a_file_leaves_is_told_at_its_end(bounded: Command) -> None:
    """`send --file` adds up what its lines left, and tells it once."""
    line = json.dumps({"to": PASSING, "message": "pass", "data": {"times": 3}}) + "\n"
    result = bounded("send", "--file", "-", stdin=line * 2).done()
    assert result.out == "2 handled\n"
    assert result.err == "2 deliveries were left, since there were too many; pachyderm worker makes them\n"


def test_a_failing_durable_effect_of_a_file_ends_nothing(on_store: Command) -> None:
    """A line whose durable effect failed is told by its number, and the next one is sent; the status is 8."""
    texts = [{"text": "x", "failing": 1}, {"text": "y"}]
    text = "".join(json.dumps({"to": "courier:@a", "message": "post", "data": data}) + "\n" for data in texts)
    result = on_store("send", "--file", "-", "--json", stdin=text)
    assert result.status == 8
    assert [[effect["status"] for effect in sent["effects"]] for sent in result.documents] == [["pending"], ["done"]]
    errors = [json.loads(line)["error"] for line in lines(result.err) if line.startswith("{")]
    assert [(error["code"], error["line"]) for error in errors] == [("effect_failed", 1)]
    assert on_store.quick("send", "--file", "-", stdin=text).out == "2 handled, 1 failed\n"


def test_a_duplicate_shows_what_became_of_its_effects(on_store: Command) -> None:
    """The same message id again shows its durable effects as they are by now, and runs none."""
    ring = ("send", "courier:@a", "post", "text=x", "--id", MESSAGE, "--json")
    first = on_store.quick(*ring, "--no-effects").done().document
    assert [effect["status"] for effect in first["effects"]] == ["pending"]
    on_store.quick("worker", "--once").done()
    again = on_store.quick(*ring).done().document
    assert (again["duplicate"], [effect["status"] for effect in again["effects"]]) == (True, ["done"])
    assert letters(on_store) == ["x"]
