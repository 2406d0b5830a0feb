"""Messages between entities: delivered before the sender is answered, each exactly once, done with what it led to."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any
from uuid import uuid4

import pytest

from pachyderm_cli import Pachyderm, Reference, Send
from pachyderm_cli.domain.identifiers import effect_id
from pachyderm_cli.domain.reference import named_id
from pachyderm_cli.engine.draining import Drain
from pachyderm_cli.engine.relay import Relay
from pachyderm_cli.engine.sending import Sender
from pachyderm_cli.store import append as append_module
from pachyderm_cli.store import outbox
from tests.support import courier, porter
from tests.support.courier import Do, Order, Pass, Post, Tell
from tests.support.office import Office, log, raising


@pytest.fixture
def office(store_url: str) -> Iterator[Office]:
    """Return a store for couriers, on each database."""
    with Office(store_url) as opened:
        yield opened


def passing(*to: str, note: str = "hello", orders: tuple[Order, ...] = ()) -> Do:
    """Return an errand to pass a note on to others."""
    return Do(note="pass", orders=tuple(Pass(to=each, errand=Do(note=note, orders=orders)) for each in to))


def test_a_message_is_delivered_before_the_send_answers(office: Office) -> None:
    """The receiver's event has the effect's id for its message, and names the sender's message as its cause."""
    engine = office.open()
    sent = engine.send("courier:@a", passing("courier:@b"))
    receiver = engine.find("courier:@b").entity
    [result] = sent.effects
    assert (result.type, result.status, result.error, result.to) == ("Send", "done", None, receiver)
    assert (sent.left, sent.failed_effects) == (0, ())
    [event] = engine.history("courier:@b")
    assert (event.message_id, event.caused_by, event.message) == (result.id, sent.message_id, "Do")
    assert result.id == effect_id(sent.message_id, 0)
    row = office.only()
    assert (row["status"], row["attempts"], row["lease"], row["timer"]) == ("done", 1, None, None)
    assert list(engine.work(once=True)) == []


@pytest.mark.parametrize("snapshots_every", [0, 1])
def test_it_is_done_in_the_transaction_of_the_receiver_s_events(
    office: Office, monkeypatch: pytest.MonkeyPatch, snapshots_every: int
) -> None:
    """Where marking it done fails, the receiver has no event; and nothing marks it done by itself."""
    engine = office.open(snapshots_every=snapshots_every)
    with monkeypatch.context() as patched:
        patched.setattr(append_module, "settle", raising(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            engine.send("courier:@a", passing("courier:@b"))
    assert [head.entity for head in engine.entities()] == [engine.find("courier:@a").entity]
    assert office.only()["status"] == "pending"
    office.end_leases()
    with monkeypatch.context() as patched:
        patched.setattr(outbox, "finish", raising(AssertionError()))
        assert [each.result.status for each in engine.work(once=True)] == ["done"]
    assert log(engine, "courier:@b") == ["hello"]


def die_at_every_third(patched: pytest.MonkeyPatch, kind: type[Any], method: str, *, after: bool) -> list[int]:
    """Let every third call of a method end the process, so to say, before or after it has its effect; count them."""
    original, calls, deaths = getattr(kind, method), [0], [0]

    def dying(*arguments: Any, **options: Any) -> Any:
        calls[0] += 1
        if calls[0] % 3:
            return original(*arguments, **options)
        deaths[0] += 1
        if after:
            original(*arguments, **options)
        raise KeyboardInterrupt

    patched.setattr(kind, method, dying)
    return deaths


STEPS = [(Drain, "_carry_out"), (Relay, "carry_out"), (Relay, "begin"), (Sender, "deliver"), (Sender, "_appended")]


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(("kind", "method"), STEPS)
def test_wherever_a_process_ends_every_message_arrives_exactly_once(
    office: Office, monkeypatch: pytest.MonkeyPatch, kind: type[Any], method: str, *, after: bool
) -> None:
    """A worker finishes what it left, and delivers nothing a second time."""
    ids = [uuid4() for _ in range(4)]
    message = passing("courier:@b", "courier:@c", orders=(Pass(to="courier:@d", errand=Do(note="far")),))
    engine = office.open()
    with monkeypatch.context() as patched:
        deaths = die_at_every_third(patched, kind, method, after=after)
        for at, message_id in enumerate(ids):
            with suppress(KeyboardInterrupt):
                office.open().send("courier:@a", message, message_id=message_id, effects=bool(at % 2))
            office.end_leases()
            with suppress(KeyboardInterrupt):
                list(office.open().work(once=True, concurrency=1))
    assert deaths[0]
    for message_id in ids:
        engine.send("courier:@a", message, message_id=message_id)
    office.end_leases()
    while list(engine.work(once=True)):
        office.end_leases()
    assert [log(engine, f"courier:@{name}") for name in "abc"] == [["pass"] * 4, ["hello"] * 4, ["hello"] * 4]
    assert log(engine, "courier:@d") == ["far"] * 8
    assert [row["status"] for row in office.rows()] == ["done"] * 16


def test_messages_go_on_as_far_as_they_lead(office: Office) -> None:
    """In the order in which they came up; the effects of every receiver run, and its state is current."""
    engine = office.open()
    to_c = Pass(to="courier:@c", errand=Do(note="c", orders=(Tell(text="t"), Post(text="p"))))
    back = Pass(to="courier:@a", errand=Do(note="back"))
    sent = engine.send(
        "courier:@a", Do(note="go", orders=(Pass(to="porter:@b", errand=Do(note="b", orders=(to_c, back))), to_c))
    )
    assert [len(sent.effects), sent.version] == [2, 1]
    assert log(engine, "courier:@a") == ["go", "back"]
    assert engine.state("porter:@b") == ["b"]
    assert log(engine, "courier:@c") == ["c", "c"]
    assert office.world.heard == ["t", "p", "t", "p"]
    assert {row["status"] for row in office.rows()} == {"done"}
    entities = {(each.entity, each.version) for each in office.world.contexts}
    assert entities == {(engine.find("courier:@c").entity, 1), (engine.find("courier:@c").entity, 2)}


def test_an_entity_may_send_to_itself(office: Office) -> None:
    """It is handled after the message that sent it."""
    engine = office.open()
    assert engine.send("courier:@a", passing("courier:@a", "courier:@a")).version == 1
    assert log(engine, "courier:@a") == ["pass", "hello", "hello"]


@pytest.mark.parametrize("deliveries", [0, 1, 3])
def test_what_a_send_delivers_is_bounded_and_the_rest_is_left(office: Office, deliveries: int) -> None:
    """The rest is due at once, not attempted and nobody's; a worker finishes it. What is no delivery runs."""
    engine = office.open(deliveries=deliveries)
    message = passing(*(f"courier:@{at}" for at in range(5)))
    sent = engine.send("courier:@a", Do(note="pass", orders=(*message.orders, Post(text="p"))))
    assert sent.left == 5 - deliveries
    expected = ["done"] * deliveries + ["pending"] * (5 - deliveries) + ["done"]
    assert [str(each.status) for each in sent.effects] == expected
    assert office.world.heard == ["p"]
    left = [row for row in office.rows() if row["status"] == "pending"]
    assert {(row["attempts"], row["lease"], row["error"]) for row in left} == {(0, None, None)}
    worked = list(engine.work(once=True))
    assert [each.attempt for each in worked] == [1] * (5 - deliveries)
    assert sorted(log(engine, f"courier:@{at}") for at in range(5)) == [["hello"]] * 5


def test_the_bound_counts_what_messages_lead_to(office: Office) -> None:
    """A chain of messages is one send's, however far it goes."""
    engine = office.open(deliveries=2)
    chain = Do(note="end")
    for at in range(4):
        chain = Do(note=f"m{at}", orders=(Pass(to="courier:@b", errand=chain),))
    assert engine.send("courier:@a", chain).left == 1
    assert log(engine, "courier:@b") == ["m2", "m1"]
    assert [str(each.result.status) for each in engine.work(once=True)] == ["done", "done"]
    assert log(engine, "courier:@b") == ["m2", "m1", "m0", "end"]


def test_without_effects_nothing_is_delivered(office: Office) -> None:
    """It is a worker's, with all that it leads to, what is run at most once among it."""
    engine = office.open()
    sent = engine.send("courier:@a", passing("courier:@b", orders=(Tell(text="t"),)), effects=False)
    assert ([str(each.status) for each in sent.effects], sent.left) == (["pending"], 0)
    worked = [(each.result.type, str(each.result.status), each.entity) for each in engine.work(once=True)]
    assert worked == [("Send", "done", sent.entity), ("Told", "done", engine.find("courier:@b").entity)]
    assert office.world.heard == ["t"]


def test_a_receiver_that_fails_is_tried_again(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of its code is no rejection: the message waits until the code is right."""
    engine = office.open()
    answers = courier.answers
    with monkeypatch.context() as patched:
        patched.setattr(courier, "answers", lambda m, log: answers(m, log) if m.note == "pass" else 1 / 0)
        [result] = engine.send("courier:@a", passing("courier:@b")).effects
    assert result.status == "pending"
    assert "ZeroDivisionError" in str(result.error)
    office.pass_time(2)
    assert [each.result.status for each in engine.work(once=True)] == ["done"]
    assert log(engine, "courier:@b") == ["hello"]


def test_a_type_that_is_not_here_is_told_at_once_and_its_message_kept(office: Office) -> None:
    """It is parked, and shown as what no code here can read; a process that has the code delivers it."""
    alone, other = office.open(modules={"courier": courier}), office.open()
    [result] = alone.send("courier:@a", passing("porter:@b")).effects
    assert result.status == "parked"
    assert "there is no entity type 'porter'" in str(result.error)
    [shown] = alone.effects()
    assert "there is no entity type 'porter'" in str(shown.unreadable)
    assert list(alone.work(once=True)) == []
    assert [each.unreadable for each in other.effects()] == [None]
    assert [each.result.status for each in other.work(once=True)] == ["done"]
    assert other.state("porter:@b") == ["hello"]


def test_a_receiver_is_found_by_name_in_its_network_by_id_and_by_reference(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name means the entity of that name in the sender's network."""
    engine, whole = office.open(network="there"), uuid4()
    engine.send("courier:@a", passing("courier:@b", f"porter:{whole}"))
    assert engine.find("courier:@b").entity == Reference("courier", named_id("there", "courier", "b"))
    assert engine.state(f"porter:{whole}") == ["hello"]
    to = Reference("porter", whole)
    monkeypatch.setattr(courier, "_effect", lambda _: Send(to=to, message=Do(note="by reference")))
    engine.send("courier:@a", passing("courier:@ignored"))
    assert engine.state(to) == ["hello", "by reference"]


def test_messages_of_many_senders_to_one_receiver_each_arrive_once(office: Office) -> None:
    """Whatever the timing: two engines, eight threads, and a worker beside them."""
    engines = [office.open(), office.open()]

    def send(at: int) -> None:
        for number in range(5):
            note = f"{at}.{number}"
            engines[at % 2].send(f"courier:@{at}", passing("courier:@hub", note=note), effects=bool(number % 2))

    with ThreadPoolExecutor(9) as pool:
        working = pool.submit(lambda: [list(engines[0].work(once=True)) for _ in range(20)])
        list(pool.map(send, range(8)))
        working.result(60)
    list(engines[1].work(once=True))
    assert sorted(log(engines[0], "courier:@hub")) == sorted(f"{at}.{number}" for at in range(8) for number in range(5))
    assert {row["status"] for row in office.rows()} == {"done"}


def test_a_message_that_was_sent_by_its_id_already_is_not_handled_again(office: Office) -> None:
    """Whoever sent it first: the log knows its id, and the effect is done."""
    engine = office.open()
    sent = engine.send("courier:@a", passing("courier:@b"), effects=False)
    same = Do.model_validate_json(office.only()["data"])
    engine.send("courier:@b", same, message_id=sent.effects[0].id)
    [worked] = engine.work(once=True)
    assert (worked.result.status, log(engine, "courier:@b")) == ("done", ["hello"])


def test_a_message_whose_id_was_used_for_another_is_parked_in_the_end(office: Office) -> None:
    """It cannot be delivered, and the reason is kept."""
    engine = office.open()
    sent = engine.send("courier:@a", passing("courier:@b"), effects=False)
    engine.send("courier:@c", Do(note="other"), message_id=sent.effects[0].id)
    for _ in range(8):
        office.pass_time(7200)
        list(engine.work(once=True))
    assert office.only()["status"] == "parked"
    assert "was already used" in office.only()["error"]


def test_messages_of_a_batch_are_delivered_in_its_order_after_its_commit(office: Office) -> None:
    """The receivers see them as if each had been sent by itself; each result has its own."""
    engine = office.open(deliveries=2)
    requests = [
        engine.request(f"courier:@{name}", passing(*["courier:@hub"] * 3, note=f"{name}{at}"))
        for at, name in enumerate("aba")
    ]
    sent = engine.send_all(requests)
    assert [getattr(each, "left", None) for each in sent] == [1, 1, 1]
    assert log(engine, "courier:@hub") == ["a0", "a0", "b1", "b1", "a2", "a2"]
    list(engine.work(once=True))
    assert len(log(engine, "courier:@hub")) == 9


def test_both_types_of_a_history_can_be_sent_to(store_url: str) -> None:
    """The type that the message names handles it, on what the other wrote."""
    with Pachyderm(store_url, {"courier": courier, "porter": porter}) as engine:
        entity = uuid4()
        engine.send("courier:@a", passing(f"courier:{entity}", f"porter:{entity}", f"courier:{entity}"))
        assert [event.entity.type for event in engine.history(f"courier:{entity}")] == ["courier", "porter", "courier"]
        assert engine.state(f"porter:{entity}") == ["hello"] * 3
