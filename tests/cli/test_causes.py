"""`pachyderm history --causes`: what caused what, as a tree."""

from uuid import UUID

import pytest

from pachyderm_cli import Pachyderm
from pachyderm_cli.domain.identifiers import back_id, effect_id
from pachyderm_cli.domain.reference import named_id
from tests.cli.outbox import MESSAGE
from tests.cli.running import Command, lines

pytestmark = pytest.mark.usefixtures("outbox_lab")

KEYS = ["depth", "message_id", "caused_by", "entity", "message", "status", "error", "events", "effects", "copied_from"]
A, B = ({"type": "courier", "id": str(named_id("default", "courier", name))} for name in "ab")
FORWARD = MESSAGE
POST = str(effect_id(UUID(FORWARD), 0))
LETTER = str(effect_id(UUID(POST), 0))
OFFER = "0190f5fc-0000-7000-8000-000000000002"
TAKE = str(effect_id(UUID(OFFER), 0))
REGRET = str(back_id(UUID(TAKE)))


@pytest.fixture
def written(on_store: Command) -> Command:
    """Return the command where `@a` forwarded a letter to `@b`, and offered it what it rejected."""
    on_store.quick("send", "courier:@a", "forward", "to=courier:@b", "text=x", "--id", FORWARD).done()
    on_store.quick("send", "courier:@a", "offer", "to=courier:@b", "--id", OFFER).done()
    return on_store


def test_each_message_is_an_object_with_its_depth(written: Command) -> None:
    """`history --causes --json` prints an object per message, each before those that it led to."""
    told = written("history", "courier:@a", "--causes", "--json").done().documents
    assert [list(each) for each in told] == [KEYS] * 5
    assert [(each["depth"], each["message_id"], each["message"]) for each in told] == [
        (0, FORWARD, "Forward"),
        (1, POST, "Post"),
        (0, OFFER, "Offer"),
        (1, TAKE, "Take"),
        (2, REGRET, "Regret"),
    ]
    assert [each["caused_by"] for each in told] == [None, FORWARD, None, OFFER, TAKE]
    assert [each["entity"] for each in told] == [A, B, A, B, A]
    assert [each["status"] for each in told] == [None, "done", None, "rejected", "done"]
    assert [each["error"] for each in told] == [None, None, None, "no room", None]


def test_events_and_effects_are_those_of_history_and_inspect(written: Command) -> None:
    """A message's events are as in `history`, and its effects, but for messages, have their own state."""
    told = written.quick("history", "courier:@b", "--causes", "--json").done().documents
    assert told[0]["message_id"] == FORWARD  # from the receiver it goes up to what began it
    assert told[1]["events"] == written.quick("history", "courier:@b", "--json").done().documents
    (letter,) = told[1]["effects"]
    assert list(letter) == ["id", "type", "status", "error", "to", "attempts", "next_attempt_at"]
    assert (letter["id"], letter["type"], letter["status"], letter["attempts"]) == (LETTER, "Letter", "done", 1)
    assert told[0]["effects"] == []


def test_a_tree_is_indented_for_people(written: Command) -> None:
    """Without --json each message is indented below what caused it, with its events, effects and their errors."""
    written.quick("send", "courier:@a", "risk", "text=r", "--id", "0190f5fc-0000-7000-8000-000000000003")
    shown = lines(written("history", "courier:@a", "--causes").done().out)
    a, b = (f"courier:{entity['id']}" for entity in (A, B))
    assert shown[:-1] == [
        f"Forward to {a}  {FORWARD}",
        '     1  Noted {"what":"Forward"}',
        f"    -> Post to {b}  done  {POST}",
        '         1  Noted {"what":"Post"}',
        "      effect    Letter done",
        f"Offer to {a}  {OFFER}",
        '     2  Noted {"what":"Offer"}',
        f"    -> Take to {b}  rejected: no room  {TAKE}",
        f"        -> Regret to {a}  done  {REGRET}",
        '             3  Noted {"what":"Regret"}',
        f"Risk to {a}  0190f5fc-0000-7000-8000-000000000003",
        '     4  Noted {"what":"Risk"}',
    ]
    assert shown[-1].startswith("  effect    RiskyLetter parked: OSError: no ink (")


def test_a_left_out_reference_is_the_entity_written_to_last(written: Command) -> None:
    """Without a reference the trees are those of the entity written to last, which is named on standard error."""
    result = written("history", "--causes", "--json").done()
    assert result.err == f"the entity written to last: courier:{A['id']}\n"
    assert result.out == written.quick("history", "courier:@a", "--causes", "--json").done().out


def test_it_needs_none_of_the_code(written: Command) -> None:
    """Trees are shown where the entity's module is gone."""
    before = written.quick("history", "courier:@a", "--causes", "--json").done().out
    (written.folder / "entities/courier.py").unlink()
    assert written.quick("history", "courier:@a", "--causes", "--json").done().out == before


def test_a_cause_outside_of_the_network_is_told_as_one(pachyderm: Command) -> None:
    """Of a cause that is in no log here its id is shown, with what it led to below it."""
    outside = "0190f5fc-0000-7000-8000-00000000000f"
    with Pachyderm.open(pachyderm.folder) as engine:
        engine.send("courier:@a", "post", {"text": "x"}, message_id=MESSAGE, caused_by=outside, effects=False)
    shown = lines(pachyderm.quick("history", "courier:@a", "--causes").done().out)
    assert shown[:2] == [
        f"a message that is not in this network  {outside}",
        f"    -> Post to courier:{A['id']}  {MESSAGE}",
    ]
    first, second = pachyderm.quick("history", "courier:@a", "--causes", "--json").done().documents
    assert (first["entity"], first["message"], first["events"]) == (None, None, [])
    assert second["caused_by"] == outside
