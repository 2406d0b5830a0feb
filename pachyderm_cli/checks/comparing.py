"""Comparing two values as strictly as the codec does, and telling where they differ."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from pydantic_core import PydanticSerializationError, to_jsonable_python

from pachyderm_cli.domain.codec import difference

_MOST_PATHS = 10


class Difference(NamedTuple):
    """Where two values differ, and both as JSON text, as far as they have one."""

    paths: tuple[str, ...]
    before: str | None
    after: str | None


def compared(before: Any, after: Any) -> Difference | None:
    """Return how two values differ, None if they are the same."""
    path = difference(before, after)
    if path is None:
        return None
    texts = _text(before), _text(after)
    return Difference(paths_between(*texts) or (path.lstrip(".") or "/",), *texts)


def paths_between(before: str | None, after: str | None) -> tuple[str, ...]:
    """Return where two JSON texts differ, as JSON Pointers; nothing where one of them is none."""
    import jsonpatch  # noqa: PLC0415 - once something was found

    try:
        patch = jsonpatch.make_patch(json.loads(before or ""), json.loads(after or ""))
    except ValueError:
        return ()
    return tuple(dict.fromkeys(each["path"] or "/" for each in patch))[:_MOST_PATHS]


def _text(value: Any) -> str | None:
    try:
        return json.dumps(to_jsonable_python(value), ensure_ascii=False)
    except (PydanticSerializationError, ValueError, TypeError):
        return None
