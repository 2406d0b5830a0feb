"""What entities are written in: pachyderm's own effects refuse what could never be carried out."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from pydantic import ValidationError

from pachyderm_cli import CancelTimer, Effect, Message, Reference, Send, Timer
from pachyderm_cli.domain.message import takes_context

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


class Ping(Message):
    pass


class Pong(Message):
    text: str


def test_a_message_is_sent_to_a_reference_or_to_the_text_of_one() -> None:
    """A Reference, a whole id and a name each say whom it is for."""
    entity = Reference("account", uuid4())
    assert [Send(to=to, message=Ping()).to for to in (entity, str(entity), "account:@a")] == [
        entity,
        str(entity),
        "account:@a",
    ]


@pytest.mark.parametrize("to", ["", "account", "@a", "account:new", "account:abcd", str(uuid4()), "account:"])
def test_a_message_is_sent_to_nobody_else(to: str) -> None:
    """A prefix, `new`, a missing type or id could mean another entity, or none, when it is delivered."""
    with pytest.raises(ValidationError):
        Send(to=to, message=Ping())


def test_messages_keep_their_class() -> None:
    """What is sent, and what is sent back, are the objects that were given."""
    ping, pong = Ping(), Pong(text="a")
    send = Send(to="account:@a", message=pong, on_rejected=ping)
    assert (send.message, send.on_rejected) == (pong, ping)
    assert Timer("t", after=timedelta(1), message=pong).message == pong


@pytest.mark.parametrize(
    "time",
    [
        {"at": NOON, "after": timedelta(1)},
        {"at": NOON.replace(tzinfo=None)},
        {"after": timedelta(microseconds=-1)},
        {"after": timedelta(days=36526)},
        {"at": datetime(1, 1, 1, tzinfo=UTC).replace(tzinfo=None)},
    ],
    ids=repr,
)
def test_a_time_that_no_clock_comes_to_is_refused(time: dict[str, Any]) -> None:
    """Two times, one without its offset, one before the commit, one that no database holds."""
    with pytest.raises(ValidationError):
        Send(to="account:@a", message=Ping(), **time)
    with pytest.raises(ValidationError):
        Timer("t", message=Ping(), **time)


def test_a_timer_has_a_time_and_a_name() -> None:
    """Without either there is nothing to set."""
    with pytest.raises(ValidationError, match="a timer has a time"):
        Timer("t", message=Ping())
    with pytest.raises(ValidationError):
        Timer("", message=Ping(), after=timedelta(1))
    with pytest.raises(ValidationError):
        CancelTimer("")


def test_names_may_be_given_by_position_or_by_name() -> None:
    """`Timer("t", …)` and `CancelTimer("t")` read as they are spoken."""
    assert Timer("t", at=NOON, message=Ping()) == Timer(name="t", at=NOON, message=Ping())
    assert CancelTimer("t") == CancelTimer(name="t")


@pytest.mark.parametrize(
    ("effect", "is_delayed"),
    [
        (Send(to="account:@a", message=Ping()), False),
        (Send(to="account:@a", message=Ping(), at=NOON), True),
        (Send(to="account:@a", message=Ping(), after=timedelta(0)), True),
        (Timer("t", message=Ping(), after=timedelta(0)), True),
    ],
    ids=repr,
)
def test_what_has_a_time_is_delayed(effect: Send | Timer, is_delayed: bool) -> None:  # noqa: FBT001 - a parameter
    """Even the time that is now: it is a timer then, and not carried out by the sender at once."""
    assert effect.is_delayed is is_delayed


class Plain(Effect):
    def dispatch(self, config: Any) -> None:
        """Do nothing."""


class WithContext(Effect):
    def dispatch(self, config: Any, context: Any) -> None:
        """Do nothing."""


class WithOptionalContext(Effect):
    def dispatch(self, config: Any, context: Any = None) -> None:
        """Do nothing."""


class WithAnother(Effect):
    def dispatch(self, config: Any, retries: int = 3) -> None:
        """Do nothing."""


class WithNothing(Effect):
    def dispatch(self) -> None:
        """Do nothing."""


class WithTooMany(Effect):
    def dispatch(self, config: Any, context: Any, more: Any) -> None:
        """Do nothing."""


@pytest.mark.parametrize(
    ("effect", "expected"),
    [
        (Plain, False),
        (WithContext, True),
        (WithOptionalContext, True),
        (WithAnother, False),
        (WithNothing, None),
        (WithTooMany, None),
    ],
)
def test_the_context_is_for_those_who_take_it(effect: type[Effect], expected: bool | None) -> None:  # noqa: FBT001 - as above
    """A third parameter that is required, or is called context, gets it; what takes neither way is told apart."""
    assert takes_context(effect) is expected
