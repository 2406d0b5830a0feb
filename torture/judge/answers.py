"""What a store that was damaged answers, held against what it answered when it was whole."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

Document = Mapping[str, Any]


def not_of_the_whole(told: str, whole: str, values: int) -> Iterator[str]:
    """Yield each event, entity or effect that is told and is none of the whole's, but for so many values of it.

    Lines that are no JSON are another law's. An export's last line is its own checksum.
    """
    known = set(whole.splitlines())
    originals = [each for line in known if (each := _document(line)) is not None]
    for line in told.split("\n"):
        document = None if line in known else _document(line)
        if document is None or "end" in document:
            continue
        if min((_differing(document, each) for each in originals), default=len(document)) > values:
            yield line


def is_a_beginning(told: str, whole: str) -> bool:
    """Tell whether the lines that are told are the first ones of the whole's, in their order."""
    lines = told.splitlines()
    return lines == whole.splitlines()[: len(lines)]


def is_a_fold(told: str, history: str) -> bool:
    """Tell whether an answer's state is what the account's first events add up to, as many as its version says."""
    answer = json.loads(told)
    version = answer["version"]
    amounts = [json.loads(line)["data"]["amount"] for line in history.splitlines()[:version]]
    return len(amounts) == version and bool(answer["state"] == {"sum": sum(amounts), "count": version})


def _document(line: str) -> Document | None:
    """Return the values of a line; of an export's, those of its row."""
    try:
        read = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if isinstance(read, dict) and len(read) == 1 and isinstance(row := next(iter(read.values())), dict):
        return read if "end" in read else row
    return read if isinstance(read, dict) else {"": read}


def _differing(one: Document, other: Document) -> int:
    return sum(one.get(name, one) != other.get(name, other) for name in one.keys() | other.keys())
