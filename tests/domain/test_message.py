"""Messages to others, timers, and effects: what they take, and how an effect class says how it is delivered."""

import functools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

from pachyderm_cli import CancelTimer, Effect, Message, Reference, Send, Timer
from pachyderm_cli.domain.message import takes_context

WHOLE = "5d0fb0a7-62a4-4cf5-8d29-3b2e9b1f9d55"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


class Greet(Message):
    name: str = "you"


class GreetTwice(Greet):
    times: int = 2


@pytest.mark.parametrize("to", [Reference("box", UUID(WHOLE)), f"box:{WHOLE}", "box:@name", "a.b:@name"])
def test_a_message_goes_to_a_whole_id_or_a_name(to: Reference | str) -> None:
    """As a Reference or as text with a type; it is kept as it was written."""
    sent = Send(to=to, message=Greet())
    assert (sent.to, sent.is_delayed, sent.on_rejected) == (to, False, None)


@pytest.mark.parametrize(
    "to", [WHOLE, "@name", "5d0f", "box:5d0fb0", "box:new", "new", "box:", ":@name", "box", "", " box:@a", "b-x:@a", 5]
)
def test_no_other_form_means_one_receiver(to: Any) -> None:
    """A prefix, `new`, and what names no type are refused where the message is made, not where it is sent."""
    with pytest.raises(ValidationError):
        Send(to=to, message=Greet())


def test_the_message_is_the_very_one() -> None:
    """Of its own class, with all its fields, however it is annotated."""
    message, back = GreetTwice(name="x"), Greet(name="y")
    sent = Send(to="box:@a", message=message, on_rejected=back)
    assert (sent.message, sent.on_rejected) == (message, back)
    assert type(sent.message) is GreetTwice
    assert sent.model_dump()["message"] == {"name": "x", "times": 2}
    timer = Timer("t", after=timedelta(1), message=message)
    assert type(timer.message) is GreetTwice


@pytest.mark.parametrize("wrong", [{"name": "x"}, None, "Greet", Greet])
def test_what_is_no_message_is_not_sent(wrong: Any) -> None:
    """A mapping, a class or a name is none."""
    with pytest.raises(ValidationError):
        Send(to="box:@a", message=wrong)


TIMES: list[tuple[dict[str, Any], bool]] = [
    ({"at": NOON}, True),
    ({"at": datetime(1, 1, 1, tzinfo=UTC)}, True),
    ({"at": datetime.max.replace(tzinfo=UTC)}, True),
    ({"after": timedelta(0)}, True),
    ({"after": timedelta(days=36525)}, True),
    ({"at": NOON, "after": timedelta(1)}, False),
    ({"at": datetime(2026, 11, 23, 12)}, False),  # noqa: DTZ001 - that it has no offset is the point
    ({"at": datetime.max.replace(tzinfo=timezone(timedelta(hours=-1)))}, False),
    ({"at": datetime.min.replace(tzinfo=timezone(timedelta(hours=1)))}, False),
    ({"after": timedelta(microseconds=-1)}, False),
    ({"after": timedelta(days=36525, microseconds=1)}, False),
]


@pytest.mark.parametrize(("time", "is_right"), TIMES)
@pytest.mark.parametrize("make", [functools.partial(Send, to="box:@a"), functools.partial(Timer, "t")])
def test_a_time_is_a_moment_or_a_distance(
    make: Callable[..., Send | Timer], time: dict[str, Any], *, is_right: bool
) -> None:
    """Aware and within the calendar, or from now on and at most a century; and not both."""
    if is_right:
        assert make(message=Greet(), **time).is_delayed
    else:
        with pytest.raises(ValidationError):
            make(message=Greet(), **time)


def test_a_timer_has_a_name_and_a_time() -> None:
    """The name comes first; without a time it is no timer."""
    timer = Timer("t", message=Greet(), at=NOON)
    assert (timer.name, timer.at) == ("t", NOON)
    assert Timer(name="t", message=Greet(), at=NOON) == timer
    assert CancelTimer(name="t") == CancelTimer("t")
    with pytest.raises(ValidationError, match="a timer has a time"):
        Timer("t", message=Greet())
    with pytest.raises(ValidationError):
        Timer("t", after=timedelta(1))


@pytest.mark.parametrize("name", ["", "x" * 201, "a\0b", "\ud800", None, 5])
def test_a_timer_s_name_is_a_text_that_can_be_kept(name: Any) -> None:
    """Of 1 to 200 characters that every database takes; the same holds for cancelling it."""
    with pytest.raises(ValidationError):
        Timer(name, message=Greet(), after=timedelta(1))
    with pytest.raises(ValidationError):
        CancelTimer(name)


@pytest.mark.parametrize("name", ["x" * 200, "\U0001f418", "a b", "%s:'"])
def test_any_other_name_will_do(name: str) -> None:
    """Whatever is written in it."""
    assert Timer(name, message=Greet(), after=timedelta(1)).name == CancelTimer(name).name == name


@pytest.mark.parametrize(
    "effect", [Send(to="box:@a", message=Greet()), Timer("t", message=Greet(), at=NOON), CancelTimer("t")]
)
def test_they_are_frozen_and_take_no_other_fields(effect: Effect) -> None:
    """As every effect."""
    field = next(iter(type(effect).model_fields))
    with pytest.raises(ValidationError, match="frozen"):
        setattr(effect, field, "other")
    with pytest.raises((ValidationError, TypeError)):
        type(effect)(**{**dict(effect), "other": 1})


def test_an_effect_is_delivered_at_most_once_unless_it_says_otherwise() -> None:
    """Class attributes, which are no fields."""

    class Ring(Effect):
        loud: bool = True

    class RingOn(Effect):
        delivery = "at_least_once"
        max_attempts = 3
        timeout = 1.5

    assert (Ring.delivery, Ring.max_attempts, Ring.timeout) == ("at_most_once", 8, None)
    assert (RingOn.delivery, RingOn.max_attempts, RingOn.timeout) == ("at_least_once", 3, 1.5)
    assert (list(Ring.model_fields), list(RingOn.model_fields)) == (["loud"], [])


def wrapped(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that says whose place it takes, as decorators do."""

    @functools.wraps(function)
    def wrapper(*arguments: Any, **options: Any) -> Any:
        return function(*arguments, **options)

    return wrapper


DISPATCHES: list[tuple[Any, bool | None]] = [
    (lambda self, config: (self, config), False),
    (lambda self, config, context: (self, config, context), True),
    (lambda self, config, anything: (self, config, anything), True),
    (lambda self, config, context=None: (self, config, context), True),
    (lambda self, config, retries=3: (self, config, retries), False),
    (lambda self, config, retries=3, context=None: (self, config, retries, context), False),
    (lambda self, config, *, context=None: (self, config, context), False),
    (lambda self, config, **options: (self, config, options), False),
    (lambda self, config, /: (self, config), False),
    (lambda self, config, context, /: (self, config, context), True),
    (wrapped(lambda self, config, context: (self, config, context)), True),
    (wrapped(lambda self, config: (self, config)), False),
    (lambda self: self, None),
    (lambda self, config, context, more: (self, config, context, more), None),
    (lambda self, config, *, context: (self, config, context), None),
    (lambda self, config, context, *, more: (self, config, context, more), None),
    (lambda *everything: everything, None),
    (staticmethod(lambda config: config), None),
]


@pytest.mark.parametrize(("dispatch", "expected"), DISPATCHES)
def test_whether_dispatch_takes_a_context_is_read_from_its_parameters(dispatch: Any, *, expected: bool | None) -> None:
    """It does if it needs a third, or has one of that name there; None for what can be called neither way."""
    effect = type("Ring", (Effect,), {"dispatch": dispatch, "__module__": __name__})
    assert takes_context(effect) is expected
    if expected is not None:
        ring = effect()
        assert ring.dispatch({}, None) if expected else ring.dispatch({})
