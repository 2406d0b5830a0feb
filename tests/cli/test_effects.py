"""`pachyderm effects`: what is in the outbox, and what is to become of it."""

import re
import subprocess
from pathlib import Path
from uuid import UUID

import pytest

from pachyderm_cli.domain.identifiers import effect_id
from pachyderm_cli.domain.reference import named_id
from tests.cli.outbox import EFFECT, MESSAGE, letters, parked, post
from tests.cli.running import SECONDS, Command, lines

pytestmark = pytest.mark.usefixtures("outbox_lab")

KEYS = [
    "id",
    "type",
    "status",
    "entity",
    "version",
    "message_id",
    "to",
    "to_network",
    "message",
    "data",
    "on_rejected",
    "timer",
    "attempts",
    "due_at",
    "next_attempt_at",
    "error",
    "created_at",
    "ended_at",
    "unreadable",
]
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"
A = {"type": "courier", "id": str(named_id("default", "courier", "a"))}
B = {"type": "courier", "id": str(named_id("default", "courier", "b"))}
OTHER_MESSAGE = "0190f5fc-0000-7000-8000-000000000002"
OTHER_EFFECT = str(effect_id(UUID(OTHER_MESSAGE), 0))


def send(command: Command, *arguments: str, message: str = MESSAGE) -> None:
    """Send the courier `@a` a message of that id, and leave what it leads to."""
    command.quick("send", "courier:@a", *arguments, "--id", message, "--no-effects").done()


def ids(command: Command, *options: str) -> list[str]:
    """Return the ids of the effects that are listed."""
    return [each["id"] for each in command.quick("effects", "list", "--json", *options).done().documents]


def test_an_effect_is_one_object_with_the_documented_keys(on_store: Command) -> None:
    """`effects list --json` prints an object per effect, and `effects show` that of one."""
    send(on_store, "post", "text=héllo")
    (effect,) = on_store("effects", "list", "--json").done().documents
    assert list(effect) == KEYS
    assert (effect["id"], effect["type"], effect["status"]) == (EFFECT, "Letter", "pending")
    assert (effect["entity"], effect["version"], effect["message_id"]) == (A, 1, MESSAGE)
    assert effect["data"] == {"text": "héllo", "failing": 0}
    assert [effect[key] for key in ("to", "message", "on_rejected", "timer", "error", "unreadable")] == [None] * 6
    assert effect["attempts"] == 0
    assert all(re.fullmatch(TIME, effect[key]) for key in ("due_at", "next_attempt_at", "created_at"))
    assert effect["ended_at"] is None
    assert on_store("effects", "show", EFFECT, "--json").done().document == effect


def test_a_message_to_an_entity_has_its_receiver_and_its_data(on_store: Command) -> None:
    """Of a message to another entity `to`, `message`, its data and what is sent back are there, as they are stored."""
    send(on_store, "offer", "to=courier:@b")
    (effect,) = on_store.quick("effects", "list", "--json").done().documents
    assert (effect["type"], effect["to"], effect["message"], effect["data"]) == ("Send", B, "Take", {})
    assert effect["on_rejected"] == {"message": "Regret", "data": {}}
    send(on_store, "remind", "name=tea", "seconds=600", message=OTHER_MESSAGE)
    timer = on_store.quick("effects", "show", OTHER_EFFECT, "--json").done().document
    assert (timer["type"], timer["timer"], timer["to"], timer["message"]) == ("Timer", "tea", A, "Post")


def test_what_is_not_ended_is_listed_the_next_first(on_store: Command) -> None:
    """Without --status pending and parked effects are listed, with it those of one status; --limit cuts it short."""
    parked(on_store, OTHER_MESSAGE)
    send(on_store, "remind", "name=tea", "seconds=600")
    on_store.quick("send", "courier:@a", "post", "text=now").done()
    assert ids(on_store) == [EFFECT, OTHER_EFFECT]
    assert ids(on_store, "--limit", "1") == [EFFECT]
    assert ids(on_store, "-n", "0") == []
    assert ids(on_store, "--status", "parked") == [OTHER_EFFECT]
    assert ids(on_store, "--status", "pending", "--limit", "9" * 30) == [EFFECT]
    (done,) = on_store.quick("effects", "list", "--status", "done", "--json").done().documents
    assert (done["type"], done["status"]) == ("Letter", "done")
    assert re.fullmatch(TIME, done["ended_at"])
    assert ids(on_store, "--status", "discarded") == []


def test_an_effect_is_one_line_for_people(pachyderm: Command) -> None:
    """Without --json an effect's line has its id, status, what it is, whence it comes, and what hinders it."""
    parked(pachyderm)
    pachyderm.quick("send", "courier:@a", "offer", "to=courier:@b", "--no-effects").done()
    pachyderm.quick("send", "courier:@a", "remind", "name=tea", "seconds=600", "--no-effects").done()
    offer, timer, risk = (line.partition("  ")[2] for line in lines(pachyderm("effects", "list").done().out))
    sender = f"courier:{A['id']} version"
    assert re.fullmatch(rf"pending    Send Take to courier:{B['id']} from {sender} 2, next {TIME}", offer)
    assert re.fullmatch(rf"pending    Timer tea: Post from {sender} 3, next {TIME}", timer)
    assert re.fullmatch(rf"parked     RiskyLetter from {sender} 1, tried once: OSError: no ink \(.*:\d+\)", risk)


def test_an_empty_list_is_said_to_be_one(pachyderm: Command) -> None:
    """Where no effect waits, or none has the status, a note on standard error says so."""
    assert pachyderm("effects", "list").done().err == "no effects wait in the network 'default'\n"
    told = pachyderm.quick("effects", "list", "--status", "parked").done().err
    assert told == "no effects are parked in the network 'default'\n"
    assert pachyderm.quick("effects", "list", "--json").done().err == ""


def test_a_broken_pipe_ends_a_long_list_quietly(on_store: Command) -> None:
    """When the reader of a list goes, the command stops without a word."""
    line = '{"to": "courier:@a", "message": "post", "data": {"text": "x"}}\n'
    on_store.quick("send", "--file", "-", "--no-effects", stdin=line * 1000).done()
    script = 'set -o pipefail; "$@" | head -1'
    done = subprocess.run(
        ["/bin/bash", "-c", script, "bash", *on_store.line("effects", "list", "--json")],
        cwd=on_store.folder,
        env=on_store.environment({}),
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )
    assert len(done.stdout.splitlines()) == 1
    assert (done.returncode, done.stderr) == (141, b"")


def test_all_of_an_effect_is_shown_to_people(pachyderm: Command) -> None:
    """`effects show` has a line for everything that is known, and none for what is not."""
    parked(pachyderm)
    shown = lines(pachyderm("effects", "show", EFFECT).done().out)
    assert shown[0] == f"{EFFECT} parked"
    labelled = dict(line.split(maxsplit=1) for line in shown[1:])
    assert list(labelled) == ["effect", "data", "from", "message", "attempts", "created", "due", "error"]
    assert (labelled["effect"], labelled["data"]) == ("RiskyLetter", '{"text":"x"}')
    assert labelled["from"] == f"courier:{A['id']} at version 1"
    assert (labelled["message"], labelled["attempts"]) == (MESSAGE, "1")
    assert labelled["error"].startswith("OSError: no ink (")


@pytest.mark.parametrize("digits", [4, 8, 13, 20, 36])
def test_a_prefix_of_an_id_is_enough(on_store: Command, digits: int) -> None:
    """Any prefix of at least four hex digits that fits one effect names it, in any case."""
    send(on_store, "post", "text=x")
    for prefix in (EFFECT[:digits], EFFECT[:digits].upper()):
        assert on_store.quick("effects", "show", prefix, "--json").done().document["id"] == EFFECT


def test_a_prefix_that_fits_several_is_ambiguous(on_store: Command) -> None:
    """A prefix of two effects' ids is refused with both of them."""
    twins = _twins()
    for message, _ in twins:
        send(on_store, "post", "text=x", message=message)
    first, second = sorted(effect for _, effect in twins)
    result = on_store("effects", "discard", first[:4], "--why", "x", "--json")
    assert (result.status, result.error["code"]) == (3, "ambiguous_reference")
    assert result.error["candidates"] == [first, second]
    assert "write more digits" in result.error["message"]
    assert sorted(ids(on_store)) == [first, second]


def test_what_no_code_here_can_carry_out_is_shown_as_such(on_store: Command, project: Path) -> None:
    """An effect whose class is gone, and one whose module is, is listed with the reason, and kept."""
    send(on_store, "post", "text=x")
    file = project / "entities/courier.py"
    source = file.read_text(encoding="utf-8")
    file.write_text(source.replace("Letter", "Brief"), encoding="utf-8")
    (effect,) = on_store("effects", "list", "--json").done().documents
    reason = f"courier ({file.resolve()}) has no effect Letter"
    assert effect["unreadable"] == reason
    assert on_store.quick("effects", "show", EFFECT, "--json").done().document["unreadable"] == reason
    (line,) = lines(on_store.quick("effects", "list").done().out)
    assert line.endswith(f"; no code here can carry it out: {reason}")
    assert f"  no code   {reason}" in lines(on_store.quick("effects", "show", EFFECT).done().out)
    file.unlink()
    (effect,) = on_store.quick("effects", "list", "--json").done().documents
    assert "there is no entity type 'courier'" in effect["unreadable"]
    file.write_text(source, encoding="utf-8")
    (effect,) = on_store.quick("effects", "list", "--json").done().documents
    assert effect["unreadable"] is None


def test_what_was_parked_as_unreadable_says_it_once(pachyderm: Command, project: Path) -> None:
    """Where the error is that no code could carry it out, a line does not say it again; an ended one never does."""
    send(pachyderm, "post", "text=x")
    file = project / "entities/courier.py"
    file.write_text(file.read_text(encoding="utf-8").replace("Letter", "Brief"), encoding="utf-8")
    assert pachyderm.quick("worker", "--once").status == 8
    (line,) = lines(pachyderm.quick("effects", "list").done().out)
    assert line.count("has no effect Letter") == 1
    pachyderm.quick("effects", "discard", EFFECT, "--why", "gone").done()
    assert pachyderm.quick("effects", "show", EFFECT, "--json").done().document["unreadable"] is None


def test_a_parked_effect_is_tried_again(on_store: Command, project: Path) -> None:
    """`effects retry` lets a worker try it at once, as if for the first time."""
    parked(on_store)
    retried = on_store("effects", "retry", EFFECT[:8], "--json").done().document
    assert list(retried) == KEYS
    assert (retried["id"], retried["status"], retried["attempts"]) == (EFFECT, "pending", 0)
    (project / "ink").touch()
    (worked,) = on_store.quick("worker", "--once", "--json").done().documents
    assert (worked["id"], worked["attempt"], worked["status"]) == (EFFECT, 1, "done")


def test_all_that_is_parked_is_tried_again(on_store: Command) -> None:
    """`effects retry --all` names each effect that was parked; with none it says so."""
    for message in (MESSAGE, OTHER_MESSAGE):
        parked(on_store, message)
    post(on_store)
    retried = on_store("effects", "retry", "--all", "--json").done().documents
    assert {each["id"] for each in retried} == {EFFECT, OTHER_EFFECT}
    assert {each["status"] for each in retried} == {"pending"}
    again = on_store.quick("effects", "retry", "--all").done()
    assert (again.out, again.err) == ("", "nothing is parked in the network 'default'\n")


def test_retrying_says_who_does_it(pachyderm: Command) -> None:
    """Without --json the effect is shown, and a note says that a worker tries it."""
    parked(pachyderm)
    result = pachyderm.quick("effects", "retry", EFFECT).done()
    assert lines(result.out)[0].startswith(f"{EFFECT}  pending    RiskyLetter from ")
    assert result.err == "pachyderm worker tries again\n"


def test_what_has_not_failed_is_not_tried_again(on_store: Command) -> None:
    """An effect that is done, or was not tried yet, is no use of retrying: status 2, and nothing is changed."""
    send(on_store, "post", "text=x")
    result = on_store("effects", "retry", EFFECT, "--json")
    assert (result.status, result.error["code"]) == (2, "usage")
    assert "was not tried yet" in result.error["message"]
    on_store.quick("worker", "--once").done()
    assert "is done" in on_store.quick("effects", "retry", EFFECT, "--json").error["message"]
    assert letters(on_store) == ["x"]


def test_a_discarded_effect_never_runs_and_keeps_the_reason(on_store: Command) -> None:
    """`effects discard` ends an effect with the reason, without a question where nobody is asked."""
    send(on_store, "post", "text=x")
    discarded = on_store("effects", "discard", EFFECT, "--why", "sent by hand", "--json").done().document
    assert list(discarded) == KEYS
    assert (discarded["status"], discarded["error"]) == ("discarded", "sent by hand")
    assert re.fullmatch(TIME, discarded["ended_at"])
    assert on_store.quick("worker", "--once", "--json").done().out == ""
    assert letters(on_store) == []
    assert ids(on_store) == []
    assert ids(on_store, "--status", "discarded") == [EFFECT]
    again = on_store.quick("effects", "discard", EFFECT, "--why", "again", "--json")
    assert (again.status, again.error["code"]) == (2, "usage")
    assert "is discarded: there is nothing to discard" in again.error["message"]


def test_a_reason_is_not_empty(pachyderm: Command) -> None:
    """--why takes more than spaces."""
    send(pachyderm, "post", "text=x")
    result = pachyderm.quick("effects", "discard", EFFECT, "--why", " ", "--json")
    assert (result.status, result.error["message"]) == (2, "say why the effect is discarded")


@pytest.mark.parametrize(
    ("typed", "is_discarded"), [("y\n", True), ("YES\n", True), ("n\n", False), ("\n", False), ("\x04", False)]
)
def test_a_terminal_is_asked_first(pachyderm: Command, typed: str, is_discarded: bool) -> None:  # noqa: FBT001 - a case
    """On a terminal the effect is shown and a question asked; anything but yes leaves all as it is."""
    send(pachyderm, "post", "text=x")
    shown = pachyderm.on_terminal("effects", "discard", EFFECT, "--why", "no use", typed=typed, NO_COLOR="1")
    assert f"{EFFECT}  pending    Letter from courier:{A['id']} version 1" in shown
    assert "Discard it for good? [y/N]" in shown
    assert ids(pachyderm, "--status", "discarded") == ([EFFECT] if is_discarded else [])
    assert ("error: nothing was discarded" in shown) is not is_discarded


def test_yes_asks_nothing(pachyderm: Command) -> None:
    """With --yes a terminal is asked nothing."""
    send(pachyderm, "post", "text=x")
    shown = pachyderm.on_terminal("effects", "discard", EFFECT, "--why", "no use", "--yes")
    assert "Discard it" not in shown
    assert ids(pachyderm, "--status", "discarded") == [EFFECT]


def test_networks_never_see_one_anothers_effects(on_store: Command) -> None:
    """An effect of one network is neither listed nor found nor carried out in another."""
    send(on_store, "post", "text=x")
    elsewhere = ("--network", "other")
    assert on_store.quick(*elsewhere, "effects", "list", "--json").done().out == ""
    assert on_store.quick(*elsewhere, "effects", "show", EFFECT).status == 3
    assert on_store.quick(*elsewhere, "effects", "discard", EFFECT, "--why", "x").status == 3
    assert on_store.quick(*elsewhere, "worker", "--once", "--json").done().out == ""
    assert ids(on_store) == [EFFECT]


def _twins() -> list[tuple[str, str]]:
    """Return two message ids whose effects' ids begin alike."""
    seen: dict[str, tuple[str, str]] = {}
    for number in range(10_000):
        message = UUID(f"0190f5fc-0000-7000-8000-{number:012x}")
        effect = str(effect_id(message, 0))
        if effect[:4] in seen:
            return [seen[effect[:4]], (str(message), effect)]
        seen[effect[:4]] = (str(message), effect)
    raise AssertionError("there are no twins")
