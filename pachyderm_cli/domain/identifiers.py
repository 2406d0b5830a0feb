"""Ids that pachyderm makes: of messages, of effects, and the fingerprint that binds a message id to its message."""

from __future__ import annotations

import json
import os
import time
from functools import lru_cache
from random import Random
from typing import Any
from uuid import UUID, SafeUUID

from pydantic import RootModel
from pydantic_core import PydanticSerializationError

from pachyderm_cli.domain.codec import Unfaithful, encode_model
from pachyderm_cli.domain.hashing import canonical, hashed
from pachyderm_cli.domain.immutability import is_immutable
from pachyderm_cli.domain.message import Message
from pachyderm_cli.domain.reference import id_text

# To be unique is enough. To ask the system each time would give up the interpreter's lock in the middle of every send.
_random = Random()  # noqa: S311 - no secret
_new, _put, _UNKNOWN = object.__new__, object.__setattr__, SafeUUID.unknown
os.register_at_fork(after_in_child=_random.seed)


def new_message_id() -> UUID:
    """Return a fresh UUIDv7 (RFC 9562): random, but in time order, so that the index on it grows at its end."""
    milliseconds = time.time_ns() // 1_000_000
    random = _random.getrandbits(80)
    high = (milliseconds & (2**48 - 1)) << 80 | 7 << 76 | (random >> 68) << 64
    # What UUID's own __init__ comes to, which takes five times as long to find out which of its arguments it was given.
    made = _new(UUID)
    _put(made, "int", high | 2 << 62 | random & (2**62 - 1))
    _put(made, "is_safe", _UNKNOWN)
    return made


def effect_id(message_id: UUID, index: int) -> UUID:
    """Return the id of the effect number `index` of a message: always the same one, so it serves as a key."""
    return _following(message_id, f"effect:{index}")


def back_id(identifier: UUID) -> UUID:
    """Return the id of what is sent back to the sender when the receiver rejects the message of that id."""
    return _following(identifier, "rejected")


def _following(identifier: UUID, name: str) -> UUID:
    """Return the UUIDv8 (RFC 9562) that follows from another id: its first 48 bits, then a hash.

    So it has the time order of a UUIDv7, and what is written about one message goes to one place of an index.
    """
    digest = hashed(identifier.bytes + name.encode())
    first = int.from_bytes(digest[:10])  # 4 bits of the version, 12 that are free, 2 of the variant, 62 that are free
    free = first & ~(0xF << 76 | 0x3 << 62)
    return UUID(int=identifier.int >> 80 << 80 | 8 << 76 | 2 << 62 | free)


def message_fingerprint(entity_id: UUID, message: Message) -> str:
    """Return 32 hex digits that stand for `message` sent to that entity.

    Fields that were not given are left out, so that a new optional field, or another default, does not make an old
    message another one.
    Raises Unfaithful for a message that JSON cannot hold.
    """
    try:
        data = message.__pydantic_serializer__.to_python(message, mode="json", round_trip=True, exclude_unset=True)
        if not _has_one_order(type(message)):
            data = _settled(data, message)
        text = canonical([id_text(entity_id.int), type(message).__name__, data])
        return hashed(text.encode()).hex()[:32]
    except (PydanticSerializationError, ValueError, RecursionError) as error:
        encode_model(message)  # says where
        raise Unfaithful(type(message).__name__, f"cannot be written as JSON: {error}") from error


@lru_cache(maxsize=1024)
def _has_one_order(model: type[Message]) -> bool:
    """Tell whether no set can be in a message of that class."""
    return is_immutable(model, sets=False)


def _settled(data: Any, value: Any) -> Any:
    """Return `data`, the JSON form of `value`, with the members of each set sorted: processes differ in their order."""
    if isinstance(value, RootModel):
        return _settled(data, value.root)
    if isinstance(data, dict):
        if isinstance(value, dict) and len(value) == len(data):
            pairs = zip(data.items(), value.values(), strict=True)
            return {key: _settled(inner, original) for (key, inner), original in pairs}
        return {key: _settled(inner, getattr(value, key, None)) for key, inner in data.items()}
    if isinstance(data, list) and isinstance(value, list | tuple | set | frozenset) and len(value) == len(data):
        members = [_settled(inner, original) for inner, original in zip(data, value, strict=True)]
        return sorted(members, key=json.dumps) if isinstance(value, set | frozenset) else members
    return data
