"""JSON output: one document on one line, with stored data put in exactly as it is stored."""

from __future__ import annotations

import json
from typing import Any


class Stored(str):
    """Text that is JSON already."""

    __slots__ = ()


def to_json(value: Any) -> str:
    """Return `value` (dicts, lists, text, numbers, booleans, None, Stored) as JSON on one line."""
    if isinstance(value, Stored):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(str(key))}: {to_json(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(to_json(inner) for inner in value) + "]"
    return json.dumps(value, default=str)
