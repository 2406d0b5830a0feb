"""A trace that outlives whoever leaves it: lines in a file, each appended whole, by however many processes."""

import os
from pathlib import Path


def leave(file: str | Path, *words: object) -> None:
    """Append a line of those words, which have no blanks."""
    line = " ".join(map(str, words)) + "\n"
    descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)


def lines(file: Path) -> list[tuple[str, ...]]:
    """Return the words of each line, in order; nothing where no trace was left yet."""
    if not file.exists():
        return []
    return [tuple(line.split()) for line in file.read_text(encoding="utf-8").splitlines()]
