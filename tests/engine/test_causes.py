"""What caused what: whole trees of messages, each once, from the one that began it to everything that it led to."""

from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest

from pachyderm_cli import Pachyderm
from pachyderm_cli.domain.identifiers import back_id
from pachyderm_cli.errors import NotFound
from tests.support.courier import Do, Forget, Order, Pass, Post, Remind
from tests.support.office import Office


@pytest.fixture
def office(store_url: str) -> Iterator[Office]:
    """Return a store for couriers, on each database."""
    with Office(store_url) as opened:
        yield opened


def passing(to: str, note: str, *orders: Order, refused: Do | None = None, answer: str = "note") -> Pass:
    """Return the order to send an errand."""
    errand = Do.model_validate({"note": note, "orders": orders, "answer": answer})
    return Pass(to=to, errand=errand, refused=refused)


def drawn(engine: Pachyderm, reference: str) -> list[str]:
    """Return the trees as lines: depth, receiver's version and note, or how its delivery went."""
    lines = []
    for each in engine.causes(reference):
        happened = ", ".join(f"{event.version} {event.data}" for event in each.events) or f"({each.status})"
        lines.append(". " * each.depth + happened.replace('{"note":"', "").replace('"}', ""))
    return lines


def test_a_message_comes_before_what_it_led_to_in_the_order_of_emission(office: Office) -> None:
    """However deep, to whatever entity; each with its cause, its events, how it was delivered, and its effects."""
    engine = office.open()
    far = passing("courier:@c", "far", Post(text="p"))
    sent = engine.send(
        "courier:@a", Do(note="go", orders=(passing("courier:@b", "one", far), passing("courier:@b", "two")))
    )
    assert drawn(engine, "courier:@a") == ["1 go", ". 1 one", ". . 1 far", ". 2 two"]
    root, one, far_, two = engine.causes("courier:@a")
    assert (root.message_id, root.caused_by, root.entity, root.status) == (sent.message_id, None, sent.entity, None)
    assert [one.caused_by, far_.caused_by, two.caused_by] == [root.message_id, one.message_id, root.message_id]
    assert (one.entity, one.message, one.status, one.error) == (engine.receiver("courier:@b"), "Do", "done", None)
    assert [(each.type, str(each.status)) for each in far_.effects] == [("Posted", "done")]
    assert (root.effects, [event.version for event in two.events]) == ((), [2])


@pytest.mark.parametrize("asked", ["courier:@a", "courier:@b", "courier:@c"])
def test_the_tree_is_the_same_whoever_is_asked_for(office: Office, asked: str) -> None:
    """It begins with the first cause, and shows what went to others; what has no part in it is not there."""
    engine = office.open()
    engine.send("courier:@a", Do(note="go", orders=(passing("courier:@b", "one", passing("courier:@c", "far")),)))
    engine.send("courier:@other", Do(note="no part"))
    assert drawn(engine, asked) == ["1 go", ". 1 one", ". . 1 far"]


def test_trees_come_in_the_order_of_the_entity_s_own_messages(office: Office) -> None:
    """Each once, though several of its messages are part of it."""
    engine = office.open()
    engine.send("courier:@b", Do(note="first"))
    engine.send("courier:@a", Do(note="go", orders=(passing("courier:@b", "one"), passing("courier:@b", "two"))))
    engine.send("courier:@b", Do(note="last"))
    assert drawn(engine, "courier:@b") == ["1 first", "1 go", ". 2 one", ". 3 two", "4 last"]


def test_what_was_rejected_or_led_to_nothing_has_its_place(office: Office) -> None:
    """With the reason, before what came back because of it."""
    engine = office.open()
    refused = passing("courier:@b", "too much", refused=Do(note="back"), answer="refuse")
    nothing = passing("courier:@c", "nothing", answer="nothing")
    engine.send("courier:@a", Do(note="go", orders=(refused, nothing)))
    assert drawn(engine, "courier:@a") == ["1 go", ". (rejected)", ". . 2 back", ". (done)"]
    _, rejected, back, _ = engine.causes("courier:@a")
    assert (rejected.error, rejected.entity, rejected.message) == ("too much", engine.receiver("courier:@b"), "Do")
    assert (back.message_id, back.caused_by) == (back_id(rejected.message_id), rejected.message_id)


def test_what_is_still_to_come_has_its_place(office: Office) -> None:
    """Timers, cancelled or waiting, and messages that nobody delivered yet; later it is what they led to."""
    engine = office.open()
    cancelled, waiting = (Remind(name=name, errand=Do(note=name), after=60) for name in "tu")
    engine.send("courier:@a", Do(note="go", orders=(cancelled, waiting, passing("courier:@b", "one"))), effects=False)
    engine.send("courier:@a", Do(note="then", orders=(Forget(name="t"),)))
    assert drawn(engine, "courier:@a") == ["1 go", ". (discarded)", ". (pending)", ". (pending)", "2 then"]
    office.pass_time(61)
    list(engine.work(once=True))
    assert drawn(engine, "courier:@a") == ["1 go", ". (discarded)", ". 3 u", ". 1 one", "2 then"]


def test_who_names_a_cause_by_hand_comes_after_what_was_emitted(office: Office) -> None:
    """In the order of the log, with what it led to in turn."""
    engine = office.open()
    root = engine.send("courier:@a", Do(note="go", orders=(passing("courier:@b", "one"),)))
    child = engine.send("courier:@c", Do(note="by hand"), caused_by=root.message_id)
    engine.send("courier:@d", Do(note="and on"), caused_by=str(child.message_id))
    assert drawn(engine, "courier:@d") == ["1 go", ". 1 one", ". 1 by hand", ". . 1 and on"]


def test_a_copy_is_a_line_of_its_own(office: Office) -> None:
    """It says where it is from; what it was copied from does not have it among what its messages led to."""
    engine = office.open()
    for note in ("one", "two"):
        engine.send("courier:@a", Do(note=note))
    before = drawn(engine, "courier:@a")
    copy = engine.fork("courier:@a", to="courier:@b").entity
    engine.send(copy, Do(note="three"))
    first, *rest = engine.causes(copy)
    assert first.copied_from is not None
    assert (first.depth, first.entity, first.events) == (0, copy, ())
    assert (str(first.copied_from.entity), first.copied_from.version) == (str(engine.find("courier:@a").entity), 2)
    assert [[event.version for event in each.events] for each in rest] == [[3]]
    assert drawn(engine, "courier:@a") == before == ["1 one", "2 two"]


def test_of_a_cause_that_is_not_here_only_the_id_is_known(office: Office) -> None:
    """It begins the tree all the same, for all that name it."""
    engine, elsewhere = office.open(), uuid4()
    for name in "ab":
        engine.send(f"courier:@{name}", Do(note=name), caused_by=elsewhere)
    found = list(engine.causes("courier:@a"))
    assert next((each.depth, each.message_id == elsewhere, each.entity, each.message) for each in found) == (
        *(0, True, None, None),
    )
    assert drawn(engine, "courier:@a") == ["(None)", ". 1 a", ". 1 b"]


def test_messages_that_name_each_other_end_somewhere(office: Office) -> None:
    """Causes given by hand may be a circle, or a message its own; each message is shown once."""
    engine = office.open()
    first, second, own = (uuid4() for _ in range(3))
    engine.send("courier:@a", Do(note="a"), message_id=first, caused_by=second)
    engine.send("courier:@b", Do(note="b"), message_id=second, caused_by=first)
    engine.send("courier:@c", Do(note="c"), message_id=own, caused_by=own)
    for name in "ab":
        assert sorted(line.replace(". ", "") for line in drawn(engine, f"courier:@{name}")) == ["1 a", "1 b"]
    assert drawn(engine, "courier:@c") == ["1 c"]


def test_a_long_chain_is_no_deep_recursion(office: Office) -> None:
    """Ten times as long as the interpreter would follow calls, from either end, each message once."""
    engine, cause = office.open(), None
    ids = [UUID(int=at + 1) for at in range(3000)]
    batch = []
    for at, message_id in enumerate(ids):
        batch.append(engine.request("courier:@a", Do(note=str(at)), message_id=message_id, caused_by=cause))
        cause = message_id
    engine.send_all(batch)
    found = [(each.depth, each.message_id) for each in engine.causes("courier:@a")]
    assert found == list(enumerate(ids))


def test_networks_are_apart(office: Office) -> None:
    """A message of the same id elsewhere is another one."""
    here, there = office.open(network="here"), office.open(network="there")
    root = here.send("courier:@a", Do(note="go"))
    there.send("courier:@a", Do(note="other"), message_id=root.message_id)
    there.send("courier:@b", Do(note="child"), caused_by=root.message_id)
    assert drawn(here, "courier:@a") == ["1 go"]
    assert drawn(there, "courier:@a") == ["1 other", ". 1 child"]


def test_who_is_not_there_is_not_found(office: Office) -> None:
    """And no entity module is needed for who is."""
    engine = office.open()
    with pytest.raises(NotFound):
        engine.causes("courier:@a")
    engine.send("courier:@a", Do(note="go", orders=(passing("courier:@b", "one"),)))
    assert drawn(office.open(modules={}), "courier:@b") == ["1 go", ". 1 one"]
