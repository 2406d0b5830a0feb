"""What entities are written in: messages in, events and effects out."""

from __future__ import annotations

from datetime import UTC, timedelta
from functools import lru_cache
from inspect import Parameter, signature
from types import FunctionType
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    SerializeAsAny,
    field_validator,
    model_validator,
)

from pachyderm_cli.domain.reference import ById, ByName, NetworkReference, Reference, parse_reference
from pachyderm_cli.errors import InvalidReference

_FROZEN = ConfigDict(frozen=True, extra="forbid")

_LONGEST_DELAY = timedelta(days=36525)  # a century: a database's calendar ends as well


class Message(BaseModel):
    """What is asked of an entity, named in the imperative (`Increment`). Frozen; unknown fields are refused."""

    model_config = _FROZEN


class Event(BaseModel):
    """What happened to an entity, named in the past tense (`Increased`). Frozen; unknown fields are refused.

    A class that changes stays able to read what is stored, by class attributes written without an annotation:
    `aliases = ("FormerName",)`, and `version = 2` with `upcast(data, version)`, a static or class method that returns
    the data (a dict) of an event that was stored in an older version as the class has it now. Both are applied at every
    read; nothing is written back.
    """

    model_config = _FROZEN

    # Without values, so that an event may have fields of these names.
    aliases: ClassVar[tuple[str, ...]]
    version: ClassVar[int]


class Question(BaseModel):
    """What an entity can be asked without a message (`HowMuch`). Frozen; unknown fields are refused."""

    model_config = _FROZEN


class Effect(BaseModel):
    """What is to be done in the world once the events are committed.

    A subclass defines `dispatch(self, config)` or `dispatch(self, config, context)`, a function or a coroutine
    function: `config` is the `[effects]` table of `pachyderm.toml` with what the sender added, `context` an
    EffectContext. It may do I/O; what it raises is reported, and undoes nothing.

    Three class attributes, written without an annotation, say how it is delivered. `delivery = "at_least_once"`
    writes it to the outbox with its events: it is run right after the commit, and again by a worker until it is done.
    `max_attempts` is how often, before it is parked; `timeout` how many seconds an attempt may take.
    """

    model_config = _FROZEN

    delivery: ClassVar[Literal["at_most_once", "at_least_once"]] = "at_most_once"
    max_attempts: ClassVar[int] = 8
    timeout: ClassVar[float | None] = None


class _Delayed(Effect):
    """Something with a time: `at` a moment, or `after` so long from the commit, by the database's clock."""

    at: AwareDatetime | None = None
    after: Annotated[timedelta, Field(ge=timedelta(0), le=_LONGEST_DELAY)] | None = None

    @model_validator(mode="after")
    def _has_one_time(self) -> Self:
        if self.at is not None and self.after is not None:
            raise ValueError("give `at` or `after`, not both")
        try:
            _ = self.at is None or self.at.astimezone(UTC)
        except OverflowError:
            raise ValueError("`at` is beyond the calendar, as seen from UTC") from None
        return self

    @property
    def is_delayed(self) -> bool:
        """Whether it waits for a time."""
        return self.at is not None or self.after is not None


class Send(_Delayed):
    """Delivers `message` to the entity `to`, exactly once in effect, right after the commit or at its time.

    `to` is a Reference, or text such as `account:@alice` with a type and a whole id or a name; `in_network` names an
    entity of another network, where it is delivered at least once, and handled once by its message id. If the receiver
    rejects the message, that is recorded, and `on_rejected` is sent back to the sender.
    """

    to: Reference | NetworkReference | str
    message: SerializeAsAny[Message]
    on_rejected: SerializeAsAny[Message] | None = None

    @field_validator("to")
    @classmethod
    def _is_whole(cls, to: Reference | NetworkReference | str) -> Reference | NetworkReference | str:
        if not isinstance(to, str):
            return to
        try:
            parsed = parse_reference(to)
        except InvalidReference as error:
            raise ValueError(error.message) from None
        if parsed.type is None or not isinstance(parsed.target, ById | ByName):
            raise ValueError("a message goes to TYPE:ID with a whole id, or to TYPE:@name")
        return to


def _storable(name: str) -> str:
    if "\0" in name:  # Postgres keeps no such text
        raise ValueError("a timer's name has no null character in it")
    return name


_Name = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_storable)]


class Timer(_Delayed):
    """Delivers `message` to the entity itself at a time. Setting a timer of the same name again replaces it."""

    name: _Name
    message: SerializeAsAny[Message]

    def __init__(self, name: str, **fields: Any) -> None:
        super().__init__(**{"name": name, **fields})

    @model_validator(mode="after")
    def _has_a_time(self) -> Self:
        if not self.is_delayed:
            raise ValueError("a timer has a time: give `at` or `after`")
        return self


class CancelTimer(Effect):
    """Removes the entity's timer of that name; nothing happens if there is none."""

    name: _Name

    def __init__(self, name: str) -> None:
        super().__init__(name=name)  # type: ignore[call-arg]  # mypy takes the parent's fields for the only ones


OUR_EFFECTS = (Send, Timer, CancelTimer)
"""The effects that pachyderm itself carries out; any entity may emit them, whatever its annotations name."""


_OF_ANY_NUMBER = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)


def takes_context(effect: type[Effect]) -> bool | None:
    """Tell whether the `dispatch` of that class takes a context beside the config; None if it takes neither way."""
    return _takes_context(getattr(effect, "dispatch", None))


@lru_cache(maxsize=1024)
def _takes_context(dispatch: object) -> bool | None:
    if not isinstance(dispatch, FunctionType):
        return False
    parameters = [each for each in signature(dispatch).parameters.values() if each.kind not in _OF_ANY_NUMBER]
    required = [each for each in parameters if each.default is each.empty]
    if len(required) not in (2, 3) or any(each.kind is each.KEYWORD_ONLY for each in required):
        return None
    return len(required) == 3 or (len(parameters) > 2 and _is_context(parameters[2]))


def _is_context(parameter: Parameter) -> bool:
    return parameter.name == "context" and parameter.kind is not parameter.KEYWORD_ONLY
