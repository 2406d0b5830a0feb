"""Files of lines that are read as they are used, `-` for standard input."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pachyderm_cli.errors import UsageError


@dataclass(frozen=True)
class LineFile:
    """A file that is open for reading: its lines can be read once, and again where it can go back to its start."""

    path: str
    stream: BinaryIO

    @property
    def size(self) -> int | None:
        """How many bytes it has; None for a pipe, of which nobody knows."""
        try:
            status = os.fstat(self.stream.fileno())
        except (OSError, ValueError):  # no file behind it
            return None
        return status.st_size if stat.S_ISREG(status.st_mode) else None

    def lines(self, longest_first: int) -> Iterator[bytes]:
        """Yield the lines with their ends; of the first at most so many bytes. Raises UsageError."""
        try:
            if self.size is not None:
                self.stream.seek(0)
            yield self.stream.readline(longest_first)
            yield from self.stream
        except OSError as error:
            raise UsageError(f"{self.path} cannot be read: {error.strerror}") from error


@contextmanager
def opened(path: str) -> Iterator[LineFile]:
    """Lend the file. Raises UsageError where it cannot be opened."""
    if path == "-":
        with suppress(OSError, ValueError):  # no file behind it
            os.set_blocking(sys.stdin.fileno(), True)  # or "nothing yet" would look like the end
        yield LineFile("standard input", sys.stdin.buffer)
        return
    try:
        file = Path(path).open("rb")  # noqa: SIM115 - closed below; only the opening's errors are usage
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    with file:
        yield LineFile(path, file)
