"""Passwords in text that is to be shown. Pure.

Those of a store's own URL are known, and hidden where it is used. But people also put URLs where none belongs, and an
error quotes what it does not understand; and what user code raises may name the service that it called. Such a URL is
known by its shape alone.
"""

from __future__ import annotations

import re
from typing import Any

# As many characters as any password has: a long text without an end is then looked through once, not again and again.
_IN_URL = re.compile(r"(:/{1,2}[^\s:/?#@]{0,200}:)\S{0,500}@")  # of two slashes a path leaves one
_IN_QUERY = re.compile(r"([?&]\w{0,50}passw\w{0,50}=)[^\s&]+", re.IGNORECASE)


def without_passwords(text: str) -> str:
    """Return `text` with the passwords of the URLs in it hidden: `scheme://user:***@host`, `?password=***`.

    Up to the last `@` before a space, since a password may have one that nobody percent-encoded.
    """
    if ":/" in text:
        text = _IN_URL.sub(r"\1***@", text)
    return _IN_QUERY.sub(r"\1***", text) if "=" in text else text


def hidden_in(value: Any) -> Any:
    """Return the same JSON-like value without the passwords in its texts."""
    if isinstance(value, str):
        return without_passwords(value)
    if isinstance(value, dict):
        return {key: hidden_in(inner) for key, inner in value.items()}
    return [hidden_in(inner) for inner in value] if isinstance(value, list | tuple) else value
