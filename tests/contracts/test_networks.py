"""Networks: nothing crosses from one to another but a message that is sent there by name."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from sqlalchemy import select

from pachyderm_cli import Event, Message, Pachyderm, Reference, Rejected, Send, in_network
from pachyderm_cli.domain.reference import named_id
from pachyderm_cli.errors import EntityFailed, InvalidReference, NotFound
from pachyderm_cli.store.schema import metadata, outbox
from tests.support.raw import connected

pytestmark = pytest.mark.usefixtures("store_url")


class Post(Message):
    """Keep the text, and send it on: `to` an entity of the network `over`, from where it goes on `back`."""

    text: str
    to: str | None = None
    over: str | None = None
    back: "Post | None" = None
    hops: int = 0


class Regret(Message):
    """Keep that something came back."""


class Posted(Event):
    text: str


class State(BaseModel, frozen=True):
    texts: tuple[str, ...] = ()


def init() -> State:
    """Return the state without a text."""
    return State()


def handle(message: Post | Regret, state: State) -> Iterator[Posted | Send]:
    """Do what the message's own description says."""
    match message:
        case Regret():
            yield Posted(text="regret")
        case Post(text="refuse"):
            raise Rejected("no such letter")
        case Post(text=text, to=to, over=over):
            yield Posted(text=text)
            if message.hops:
                onward = Post(text=text, to=to, over="a" if over == "b" else "b", hops=message.hops - 1)
                yield Send(to=in_network(str(over), str(to)), message=onward)
            elif to is not None and over is not None:
                following = message.back or Post(text=f"{text}, sent on")
                yield Send(to=in_network(over, to), message=following, on_rejected=Regret())


def update(event: Posted, state: State) -> State:
    """Return the state with one more text."""
    return State(texts=(*state.texts, event.text))


Post.model_rebuild()
MODULES = {"letters": __import__("sys").modules[__name__]}
Opened = Callable[..., Pachyderm]


@pytest.fixture(params=["one store", "two stores"])
def other_url(request: pytest.FixtureRequest, store_url: str, tmp_path: Path) -> str:
    """Return where the network b lives: in the same store as a, or in a SQLite file of its own."""
    return store_url if request.param == "one store" else f"sqlite:///{tmp_path / 'other.db'}"


@pytest.fixture
def opened(store_url: str, other_url: str) -> Iterator[Opened]:
    """Return what opens an engine for a network, which knows where the others are."""
    with ExitStack() as stack:

        def open_one(network: str, **options: Any) -> Pachyderm:
            urls = {"a": store_url, "b": other_url}
            engine = Pachyderm(urls[network], MODULES, network=network, networks=urls, **options)
            return stack.enter_context(closing(engine))

        yield open_one


def texts(engine: Pachyderm, reference: str) -> tuple[str, ...]:
    """Return what an entity has kept, () if it is not there."""
    try:
        return tuple(engine.state(reference).texts)
    except NotFound:
        return ()


def test_what_is_sent_stays_in_its_network(opened: Opened, store_url: str, other_url: str) -> None:
    """Entities of one name, one id and one message id in two networks know nothing of each other."""
    a, b = opened("a"), opened("b")
    one_id = Reference("letters", named_id("a", "letters", "x"))
    message_id = "0190f5fc-0000-7000-8000-000000000001"
    a.send(one_id, Post(text="in a"), message_id=message_id)
    b.send(one_id, Post(text="in b", to="letters:@y", over="b"), message_id=message_id)
    assert (texts(a, str(one_id)), texts(b, str(one_id))) == (("in a",), ("in b",))
    assert a.receiver("letters:@x") != b.receiver("letters:@x")
    assert len(list(a.entities())) == 1
    assert len(list(b.entities())) == 2
    a.set_cursor("c", 0)
    a.snapshot(one_id)
    assert (list(b.cursors()), b.snapshots(one_id)) == ([], [])
    assert list(a.effects("done")) == []
    for url in {store_url, other_url}:
        with connected(url) as connection:
            for table in metadata.tables.values():
                if "network" in table.c:
                    assert {each.network for each in connection.execute(select(table))} <= {"a", "b"}
    b.erase(one_id, "test")
    assert texts(a, str(one_id)) == ("in a",)


def test_a_message_goes_where_it_is_sent(opened: Opened) -> None:
    """An entity of another network handles it, once, and is told what caused it; its answer comes back as well."""
    a, b = opened("a"), opened("b")
    back = Post(text="there", to="letters:@x", over="a")
    sent = a.send("letters:@x", Post(text="here", to="letters:@y", over="b", back=back))
    assert [(each.type, each.status) for each in sent.effects] == [("Send", "done")]
    assert texts(b, "letters:@y") == ("there",)
    assert texts(a, "letters:@x") == ("here", "there, sent on")
    assert texts(a, "letters:@y") == texts(b, "letters:@x") == ()
    [event] = b.history("letters:@y")
    assert (event.caused_by, event.message_id) == (sent.message_id, sent.effects[0].id)


def test_a_worker_delivers_what_was_left(opened: Opened, store_url: str) -> None:
    """One that was not delivered at once is in the outbox of its sender's network, and is delivered by its worker."""
    a, b = opened("a"), opened("b")
    a.send("letters:@x", Post(text="here", to="letters:@y", over="b"), effects=False)
    with connected(store_url) as connection:
        [row] = connection.execute(select(outbox)).all()
    assert (row.network, row.to_network, row.to_type) == ("a", "b", "letters")
    assert [each.result.status for each in b.work(once=True)] == []
    assert [each.result.status for each in a.work(once=True)] == ["done"]
    assert texts(b, "letters:@y") == ("here, sent on",)


def test_a_rejection_comes_back(opened: Opened) -> None:
    """It is recorded with the sender's effect, and brings the sender what it wants in that case."""
    a = opened("a")
    sent = a.send("letters:@x", Post(text="here", to="letters:@y", over="b", back=Post(text="refuse")))
    assert [(each.status, each.error) for each in sent.effects] == [("rejected", "no such letter")]
    assert texts(a, "letters:@x") == ("here", "regret")


def test_it_is_handled_once_however_often_it_is_delivered(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the sender's process ends between the commit over there and its own, the message comes again in vain."""
    a, b = opened("a", lease_seconds=0.5), opened("b")
    receive = Pachyderm.receive

    def die_after(self: Pachyderm, *arguments: Any) -> bool:
        receive(self, *arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(Pachyderm, "receive", die_after)
    with pytest.raises(KeyboardInterrupt):
        a.send("letters:@x", Post(text="here", to="letters:@y", over="b"))
    monkeypatch.undo()
    while not any(each.stored.to_network == "b" for each in a.effects("done")):
        list(a.work(once=True))
    assert texts(b, "letters:@y") == ("here, sent on",)


def test_a_long_way_to_and_fro_is_gone_to_the_end(opened: Opened) -> None:
    """Messages that go from network to network many times are delivered, the last ones by workers."""
    a, b = opened("a"), opened("b")
    a.send("letters:@x", Post(text="n", to="letters:@x", over="b", hops=30))
    while any([*a.work(once=True), *b.work(once=True)]):
        pass
    assert len(texts(a, "letters:@x")) + len(texts(b, "letters:@x")) == 32


def test_an_unknown_network_is_made_in_the_same_store(store_url: str) -> None:
    """One that nobody said anything of is in the sender's store: any name will do, as with --network."""
    with closing(Pachyderm(store_url, MODULES, network="a")) as a:
        a.send("letters:@x", Post(text="here", to="letters:@y", over="somewhere"))
    with closing(Pachyderm(store_url, MODULES, network="somewhere")) as there:
        assert texts(there, "letters:@y") == ("here, sent on",)


@pytest.mark.parametrize("reference", ["letters:new", "letters:abcd", "letters", "letters:@"])
def test_only_a_whole_reference_names_an_entity_elsewhere(store_url: str, reference: str) -> None:
    """A prefix, `new` or no type cannot be looked up over there: the sender's handle fails, and nothing is written."""
    with pytest.raises(InvalidReference):
        in_network("b", reference)
    with closing(Pachyderm(store_url, MODULES, network="a")) as a:
        with pytest.raises(EntityFailed):
            a.send("letters:@x", Post(text="here", to=reference, over="b"))
        assert texts(a, "letters:@x") == ()
