"""What entities are written in: messages in, events and effects out."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

_FROZEN = ConfigDict(frozen=True, extra="forbid")


class Message(BaseModel):
    """What is asked of an entity, named in the imperative (`Increment`). Frozen; unknown fields are refused."""

    model_config = _FROZEN


class Event(BaseModel):
    """What happened to an entity, named in the past tense (`Increased`). Frozen; unknown fields are refused."""

    model_config = _FROZEN


class Effect(BaseModel):
    """What is to be done in the world once the events are committed.

    A subclass defines `dispatch(self, config)`, a function or a coroutine function: `config` is the `[effects]`
    table of `pachyderm.toml` with what the sender added. It may do I/O; what it raises is reported to the sender
    and undoes nothing.
    """

    model_config = _FROZEN
