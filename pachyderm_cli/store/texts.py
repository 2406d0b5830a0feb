"""What text a column can hold, and what of it is JSON."""

from __future__ import annotations

import json
from typing import Any

from pydantic_core import from_json


def is_text(value: Any) -> bool:
    """Tell whether it is text that each database keeps: no lone surrogate and no null character in it."""
    if not isinstance(value, str) or "\0" in value:
        return False
    return value.isascii() or not any("\ud800" <= each <= "\udfff" for each in value)


def json_problem(value: Any) -> str | None:
    """Return why `value` is no JSON text, None if it is. What Python's reads beyond JSON, such as NaN, is none."""
    if not isinstance(value, str):
        return f"it is stored as {type(value).__name__}, not as text"
    try:
        from_json(value, allow_inf_nan=False)  # takes less than is JSON, in a third of the time
    except (ValueError, TypeError):  # TypeError: of a lone surrogate
        try:
            _DECODER.decode(value)
        except (ValueError, RecursionError) as error:
            return str(error)
    return None


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


# Numbers stay text: one may have more digits than Python takes.
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=_no_number)
