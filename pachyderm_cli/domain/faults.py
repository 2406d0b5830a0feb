"""What can be said of the faults of user code: what was raised, and where in that code it arose."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from traceback import extract_tb
from typing import Any

from pachyderm_cli.domain.hiding import without_passwords

_OUR_CODE = str(Path(__file__).resolve().parent.parent)


def told(error: BaseException) -> str:
    """Return the kind of an error and what it says, without a URL's password; user code's may fail even at that."""
    try:
        return without_passwords(f"{type(error).__name__}: {error}")
    except Exception:  # noqa: BLE001 - as said above
        return f"{type(error).__name__} (which cannot say more: its __str__ fails)"


def origin(error: BaseException, file: str, line: int) -> tuple[str, int]:
    """Return where in the user's code `error` arose: the deepest line of `file`, or else of any other; else `line`."""
    frames = [(frame.filename, frame.lineno or 0) for frame in extract_tb(error.__traceback__)]
    own = [frame for frame in frames if frame[0] == file]
    others = [frame for frame in frames if not frame[0].startswith(_OUR_CODE)]
    return (own or others or [(file, line)])[-1]


def line_of(function: Callable[..., Any] | None) -> int:
    """Return the line on which a function begins, 1 where that is not known."""
    code = getattr(function, "__code__", None)
    return getattr(code, "co_firstlineno", 1)
