"""Canonical JSON, and the hash that ids and fingerprints are made of.

Between two commits little of all code is in the processor's caches, and what matters is how much of it a step goes
through: by the usual ways the fingerprint of a message took 15 us within a send, and 5 in a loop of its own.
"""

from __future__ import annotations

import json
import json.encoder
from collections.abc import Callable
from typing import Any

try:  # Python's own, and not OpenSSL's, which comes to the same by a longer way
    from _sha2 import sha256  # type: ignore[import-not-found]  # has no stub
except ImportError:
    try:
        from _sha256 import sha256  # type: ignore[import-not-found]  # as it was called before Python 3.12
    except ImportError:  # a Python that was built without
        from hashlib import sha256


_encoder_of_c: Any = getattr(json.encoder, "c_make_encoder", None)  # not documented, so it is tried out


def _encoder() -> Callable[[Any], str]:
    """Return the encoder of `canonical`, made once: `JSONEncoder.encode` makes one of C's for each text."""
    usual = json.JSONEncoder(sort_keys=True, ensure_ascii=False, check_circular=False)
    options = {"sort_keys": True, "skipkeys": False, "allow_nan": True}
    separators = (usual.key_separator, usual.item_separator)
    try:
        text_of = json.encoder.encode_basestring
        parts = _encoder_of_c(None, usual.default, text_of, None, *separators, *options.values())
        if "".join(parts({"b": [1, "ä"], "a": None}, 0)) == '{"a": null, "b": [1, "ä"]}':
            return lambda value: "".join(parts(value, 0))
    except (AttributeError, TypeError):  # another Python's has other parameters, or there is none
        pass
    return usual.encode


def hashed(data: bytes) -> bytes:
    """Return the SHA-256 of `data`, 32 bytes."""
    digest: bytes = sha256(data).digest()
    return digest


canonical = _encoder()
"""Returns a value as JSON text with its keys sorted. The value contains only what JSON has, and not itself."""
