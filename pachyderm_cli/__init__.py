"""Pachyderm: durable, globally unique actors whose state is the fold of an append-only log.

The public API. Names are imported when first used, so that `pachyderm --help` loads neither pydantic nor
SQLAlchemy, and an entity module loads no database library.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pachyderm_cli.domain.context import Context, EffectContext
    from pachyderm_cli.domain.invariants import invariant
    from pachyderm_cli.domain.message import CancelTimer, Effect, Event, Message, Question, Send, Timer
    from pachyderm_cli.domain.reference import Reference, in_network
    from pachyderm_cli.engine.engine import Pachyderm
    from pachyderm_cli.errors import PachydermError, Rejected

__version__ = "0.1.0"

_HOME = {
    "CancelTimer": "pachyderm_cli.domain.message",
    "Context": "pachyderm_cli.domain.context",
    "Effect": "pachyderm_cli.domain.message",
    "EffectContext": "pachyderm_cli.domain.context",
    "Event": "pachyderm_cli.domain.message",
    "Message": "pachyderm_cli.domain.message",
    "Pachyderm": "pachyderm_cli.engine.engine",
    "PachydermError": "pachyderm_cli.errors",
    "Question": "pachyderm_cli.domain.message",
    "Reference": "pachyderm_cli.domain.reference",
    "Rejected": "pachyderm_cli.errors",
    "Send": "pachyderm_cli.domain.message",
    "Timer": "pachyderm_cli.domain.message",
    "in_network": "pachyderm_cli.domain.reference",
    "invariant": "pachyderm_cli.domain.invariants",
}

__all__ = [
    "CancelTimer",
    "Context",
    "Effect",
    "EffectContext",
    "Event",
    "Message",
    "Pachyderm",
    "PachydermError",
    "Question",
    "Reference",
    "Rejected",
    "Send",
    "Timer",
    "__version__",
    "in_network",
    "invariant",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
