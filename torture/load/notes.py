"""Notes: lines of JSON in files that outlive the process, each in one write, so that none is torn by a kill."""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any


def note(file: str | Path, what: Mapping[str, Any]) -> None:
    """Add a line; it is the system's, and safe from whatever happens to this process, when this returns."""
    line = json.dumps(what).encode() + b"\n"
    descriptor = os.open(file, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
    try:
        if os.write(descriptor, line) != len(line):
            raise OSError(f"{file} took a part of a note")
    finally:
        os.close(descriptor)


def notes(file: str | Path) -> Iterator[dict[str, Any]]:
    """Yield what was noted."""
    if Path(file).exists():
        with Path(file).open(encoding="utf-8") as lines:
            yield from map(json.loads, lines)
