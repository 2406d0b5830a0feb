"""Names as people write them: any usual spelling finds its class, a misspelt one is told the nearest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import TypeVar

ValueT = TypeVar("ValueT")


def find_by_spelling(known: Mapping[str, ValueT], name: str) -> ValueT | None:
    """Return what `name` stands for in `known`: exactly so, or alike but for case, hyphens and underscores.

    `TopUp`, `topUp`, `top-up`, `top_up` and `TOP_UP` mean the same. A spelling that fits two names fits none.
    """
    if name in known:
        return known[name]
    wanted = _folded(name)
    fitting = [value for candidate, value in known.items() if _folded(candidate) == wanted]
    return fitting[0] if wanted and len(fitting) == 1 else None


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return the end of an error message: the nearest of `known` to `name`, and what there is."""
    names = sorted(known)
    if not names:
        return "there is none"
    by_folded = {_folded(candidate): candidate for candidate in names}
    near = get_close_matches(_folded(name), by_folded, n=1)
    there_is = ", ".join(names)
    return f"did you mean {by_folded[near[0]]}? There is: {there_is}" if near else f"there is: {there_is}"


def command_spelling(class_name: str) -> str:
    """Return a class's name as it is written on the command line: `TopUp` is `top-up`."""
    pieces = []
    for index, character in enumerate(class_name):
        follows_lower = index > 0 and not class_name[index - 1].isupper() and class_name[index - 1] != "_"
        starts_word = index + 1 < len(class_name) and class_name[index + 1].islower() and index > 0
        if character.isupper() and (follows_lower or starts_word) and class_name[index - 1] != "_":
            pieces.append("-")
        pieces.append("-" if character == "_" else character.lower())
    return "".join(pieces)


def _folded(name: str) -> str:
    return name.replace("-", "").replace("_", "").casefold()
