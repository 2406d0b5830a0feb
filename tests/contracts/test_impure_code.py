"""User code that does not keep the contract: no wrong answer comes of it unnoticed, or it is told."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import field_validator

from pachyderm_cli import Event, Message, Pachyderm, Reference
from pachyderm_cli.errors import EntityFailed, InvalidReference, PachydermError, UsageError
from tests.support.clocks import START, ticking


class Add(Message):
    number: int = 1


class Added(Event):
    number: int


SHARED: dict[str, list[int]] = {"items": []}


def init() -> dict[str, list[int]]:
    """Return the same object every time."""
    return SHARED


def handle(message: Add, state: dict[str, list[int]]) -> list[Added]:
    """Scribble on the state, which is not handle's to change."""
    state["items"].append(-1)
    return [Added(number=message.number)]


def update(event: Added, state: dict[str, list[int]]) -> dict[str, list[int]]:
    """Change the state in place."""
    state["items"].append(event.number)
    return state


IMPURE = SimpleNamespace(init=init, handle=handle, update=update)


@pytest.fixture(params=[0, 100])
def engine(store_url: str, request: pytest.FixtureRequest) -> Iterator[Pachyderm]:
    """Return an engine for the impure module, without a cache and with one."""
    with Pachyderm(store_url, {"impure": IMPURE}, cached=request.param, clock=ticking()) as opened:
        yield opened


def test_a_state_that_is_changed_in_place_is_still_the_fold(engine: Pachyderm) -> None:
    """What handle, update, init and callers scribble on is their own copy; answers equal the replay."""
    for number in (1, 2, 3):
        sent = engine.send("impure:@a", Add(number=number))
        assert sent.state == engine.replay("impure:@a").state == {"items": list(range(1, number + 1))}
        sent.state["items"].clear()
    engine.state("impure:@a")["items"].clear()
    assert engine.state("impure:@a") == {"items": [1, 2, 3]}
    assert engine.send("impure:@b", Add(number=9)).state == {"items": [9]}
    assert SHARED == {"items": []}


def test_a_replay_to_a_time_does_not_see_beyond_it(engine: Pachyderm) -> None:
    """The first event after the time is not folded, not even into an object that is shared."""
    for number in (1, 2, 3):
        engine.send("impure:@a", Add(number=number))
    times = [event.recorded_at for event in engine.history("impure:@a")]
    assert engine.replay("impure:@a", at=times[1]).state == {"items": [1, 2]}
    assert [step.state for step in engine.steps("impure:@a")] == [
        {"items": [1]},
        {"items": [1, 2]},
        {"items": [1, 2, 3]},
    ]


def forgetful(event: Added, state: int) -> int:
    """Lack a return, as it happens."""
    return None  # type: ignore[return-value]  # the fault that is tested


def decide(message: Add, state: int) -> list[Added]:
    """Add."""
    return [Added(number=message.number)]


def zero() -> int:
    """Begin at nought."""
    return 0


def test_an_update_without_return_is_told_before_anything_is_written(store_url: str) -> None:
    """A state of None where the type has none is the reducer's fault, and the log stays as it was."""
    module = SimpleNamespace(init=zero, handle=decide, update=forgetful)
    with Pachyderm(store_url, {"forgetful": module}) as engine:
        with pytest.raises(EntityFailed, match="lack a return"):
            engine.send("forgetful:@a", Add())
        assert list(engine.entities()) == []


STRICT: list[str] = []


class Counted(Event):
    number: int

    @field_validator("number")
    @classmethod
    def accept(cls, number: int) -> int:
        """Refuse everything once the rules have become strict, in a way of its own."""
        if STRICT:
            raise RuntimeError("no more")
        return number


def count(message: Add, state: int) -> list[Counted]:
    """Count."""
    return [Counted(number=message.number)]


def counted(event: Counted, state: int) -> int:
    """Add up."""
    return state + event.number


def test_a_stored_event_whose_validator_breaks_is_the_entity_s_failure(store_url: str) -> None:
    """Whatever a validator raises while the log is folded is told with the event's version, by every way to load."""
    module = SimpleNamespace(init=zero, handle=count, update=counted)
    with Pachyderm(store_url, {"strict": module}, cached=0) as engine:
        engine.send("strict:@a", Add())
        STRICT.append("from now on")
        try:
            for ask in (engine.state, engine.replay, engine.inspect):
                with pytest.raises(EntityFailed, match=r"version 1 failed at .*RuntimeError: no more"):
                    ask("strict:@a")
        finally:
            STRICT.clear()


class Odd(BaseException):
    """No Exception, as CancelledError is none."""


def test_whatever_user_code_raises_is_its_own_failure(store_url: str) -> None:
    """Even what is no Exception is told as the entity's, with file and line."""

    def odd(message: Add, state: int) -> list[Added]:
        raise Odd("oddly")

    module = SimpleNamespace(init=zero, handle=odd, update=forgetful)
    with Pachyderm(store_url, {"odd": module}) as engine, pytest.raises(EntityFailed, match="Odd: oddly") as caught:
        engine.send("odd:@a", Add())
    assert caught.value.details["file"] == __file__


def test_ids_reach_the_log_in_one_spelling(engine: Pachyderm) -> None:
    """A message id given as text is the same as the UUID; what is none is refused, and so is a false reference."""
    message_id = uuid4()
    engine.send("impure:@a", Add(), message_id=str(message_id).upper())
    assert engine.send("impure:@a", Add(), message_id=message_id).duplicate
    calls: list[dict[str, Any]] = [{"message_id": "order-17"}, {"caused_by": "zzz"}, {"message_id": 17}]
    for options in calls:
        with pytest.raises(UsageError, match="is a UUID"):
            engine.send("impure:@a", Add(), **options)
    with pytest.raises(InvalidReference):
        Reference("impure", "hello")  # type: ignore[arg-type]  # as above
    assert [event.message_id for event in engine.history("impure:@a")] == [message_id]


@pytest.mark.parametrize(
    "call",
    [
        lambda engine: list(engine.history("impure:@a", limit=-1)),
        lambda engine: list(engine.entities(limit=-1)),
        lambda engine: engine.replay("impure:@a", at=START.replace(tzinfo=None)),
        lambda engine: engine.send(5, Add()),
        lambda engine: engine.send("impure:@a", Add),
        lambda _engine: Pachyderm("sqlite:///x.db", network=""),
        lambda _engine: Pachyderm("sqlite:///x.db", network="a\0b"),
        lambda _engine: Pachyderm("sqlite:///x.db", snapshots_every=-1),
        lambda _engine: Pachyderm("sqlite:///x.db", {"my-counter": IMPURE}),
    ],
)
def test_nonsense_is_told_as_such(engine: Pachyderm, call: Any) -> None:
    """Arguments that make no sense are errors of pachyderm's own, not what happens to break inside."""
    engine.send("impure:@a", Add())
    with pytest.raises(PachydermError):
        call(engine)


def test_versions_beyond_any_are_fine(engine: Pachyderm) -> None:
    """Bounds far outside of what a database counts select what they say."""
    engine.send("impure:@a", Add())
    assert len(list(engine.history("impure:@a", from_version=-(2**70), to_version=2**70))) == 1
    assert list(engine.history("impure:@a", to_version=-(2**70))) == []


def test_a_default_that_changes_makes_no_message_another_one(store_url: str) -> None:
    """What was written out stays what it was, whatever the default is by now."""

    def module(default: int) -> SimpleNamespace:
        class Give(Message):
            number: int = default

        def give(message: Give, state: int) -> list[Added]:
            return [Added(number=message.number)]

        give.__annotations__["message"] = Give
        return SimpleNamespace(init=zero, handle=give, update=plus)

    one, two = UUID(int=1), UUID(int=2)
    with Pachyderm(store_url, {"a": module(1)}) as before:
        before.send("a:@x", "give", {"number": 2}, message_id=one)
        before.send("a:@x", "give", {"number": 1}, message_id=two)
    with Pachyderm(store_url, {"a": module(2)}) as after:
        assert after.send("a:@x", "give", {"number": 2}, message_id=one).duplicate
        with pytest.raises(PachydermError, match="already used"):
            after.send("a:@x", "give", {"number": 2}, message_id=two)


def plus(event: Added, state: int) -> int:
    """Add up."""
    return state + event.number
