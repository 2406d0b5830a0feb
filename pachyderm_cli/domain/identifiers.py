"""Ids that pachyderm makes: of messages, of effects, and the fingerprint that binds a message id to its message."""

from __future__ import annotations

import hashlib
import os
import time
from uuid import UUID, uuid5

from pachyderm_cli.domain.codec import encode_model
from pachyderm_cli.domain.message import Message


def new_message_id() -> UUID:
    """Return a fresh UUIDv7 (RFC 9562): random, but in time order, so that the index on it grows at its end."""
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10), "big")
    high = (milliseconds & (2**48 - 1)) << 80 | 7 << 76 | (random >> 68) << 64
    return UUID(int=high | 2 << 62 | random & (2**62 - 1))


def effect_id(message_id: UUID, index: int) -> UUID:
    """Return the id of the effect number `index` of a message: always the same one, so it serves as a key."""
    return uuid5(message_id, f"effect:{index}")


def message_fingerprint(entity_id: UUID, message: Message) -> str:
    """Return 32 hex digits that stand for `message` sent to that entity.

    Fields at their default are left out, so that a new optional field does not make an old message another one.
    Raises Unfaithful for a message that JSON cannot hold.
    """
    text = f"{entity_id}\0{type(message).__name__}\0{encode_model(message, exclude_defaults=True)}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]
