"""Every error that pachyderm raises on purpose, each with the stable code scripts may rely on.

This module imports nothing of the package. `details` are the machine-readable facts that go into the JSON form
of an error beside its code and message; they never hold secrets.
"""

from __future__ import annotations

from typing import Any, ClassVar


class PachydermError(Exception):
    """What every error of pachyderm derives from: a message for people, a `code` and `details` for programs."""

    code: ClassVar[str] = "unexpected"

    def __init__(self, message: str, /, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.details = {key: value for key, value in details.items() if value is not None}


class UsageError(PachydermError):
    """The call itself makes no sense: options that exclude one another, a value out of range."""

    code = "usage"


class InvalidReference(PachydermError):
    """The text does not name an entity: malformed, or a form that this call does not take."""

    code = "invalid_reference"


class UnknownEntityType(PachydermError):
    """No entity module of that name is here."""

    code = "unknown_entity_type"


class UnknownMessage(PachydermError):
    """The entity type takes no message of that name."""

    code = "unknown_message"


class InvalidMessage(PachydermError):
    """The message's data does not fit its class."""

    code = "invalid_message"


class NotFound(PachydermError):
    """No such entity, version or snapshot in this network."""

    code = "not_found"


class Erased(NotFound):
    """The entity was erased on request; its id stays taken."""

    code = "erased"


class AmbiguousReference(PachydermError):
    """The id prefix fits several entities."""

    code = "ambiguous_reference"


class VersionConflict(PachydermError):
    """The entity is not at the expected version, or the retries against other writers are used up."""

    code = "version_conflict"


class MessageIdConflict(PachydermError):
    """The message id was already used for another message or another entity."""

    code = "message_id_conflict"


class CursorHeld(PachydermError):
    """Another follower has the cursor, or has taken it over."""

    code = "cursor_held"


class Collision(PachydermError):
    """What is to be imported is in the store already, or something of the same name or id."""

    code = "collision"


class Rejected(PachydermError):
    """Raised by an entity's `handle` to refuse a message: nothing is written, the caller gets the reason."""

    code = "rejected"

    def __init__(self, reason: str, **details: Any) -> None:
        super().__init__(reason, **details)
        self.reason = reason


class ConfigError(PachydermError):
    """`pachyderm.toml`, the environment or a store URL cannot be understood."""

    code = "config_error"


class EntityLoadError(PachydermError):
    """An entity module cannot be imported or does not keep the contract; `file` and `line` say where."""

    code = "entity_load_error"


class EntityFailed(PachydermError):
    """User code failed: an exception out of `init`, `handle`, `update` or a contract broken at run time."""

    code = "entity_failed"


class EffectFailed(PachydermError):
    """The message is committed, but an effect that ran in this process failed."""

    code = "effect_failed"


class StoreError(PachydermError):
    """The store cannot be opened, read or written; what had been acknowledged is kept."""

    code = "store_error"


class OutputError(PachydermError):
    """What a command prints cannot be written: the disk below its output is full, for one."""

    code = "output_error"


class CheckFailed(PachydermError):
    """A check found a counterexample, or a verification failed."""

    code = "check_failed"


class Interrupted(PachydermError):
    """The user interrupted the command."""

    code = "interrupted"
