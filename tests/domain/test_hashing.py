"""Canonical JSON and its hash are what the standard library makes of it, by whatever way."""

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pachyderm_cli.domain import hashing
from pachyderm_cli.domain.hashing import canonical, hashed

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(values)
def test_canonical_is_sorted_json(value: Any) -> None:
    """It is what `json.dumps` writes with sorted keys, to the character: fingerprints in the log depend on it."""
    assert canonical(value) == json.dumps(value, sort_keys=True, ensure_ascii=False)


def test_what_json_has_not_is_refused() -> None:
    """A value that pydantic would never leave there is a TypeError, and a circle is not followed for ever."""
    with pytest.raises(TypeError):
        canonical({"a": object()})
    circle: list[Any] = []
    circle.append(circle)
    with pytest.raises(RecursionError):
        canonical(circle)


@pytest.mark.parametrize("broken", [None, lambda: None, lambda *_: lambda *_: ["other"]])
def test_another_python_s_encoder_is_not_relied_on(monkeypatch: pytest.MonkeyPatch, broken: Any) -> None:
    """Where that of C is missing, takes other parameters or writes something else, the usual one writes the same."""
    monkeypatch.setattr(hashing, "_encoder_of_c", broken)
    assert hashing._encoder()({"b": [1, "ä"], "a": 1.5}) == '{"a": 1.5, "b": [1, "ä"]}'


@given(st.binary())
def test_the_hash_is_sha256(data: bytes) -> None:
    """Python's own is the same as everybody's."""
    assert hashed(data) == hashlib.sha256(data).digest()
