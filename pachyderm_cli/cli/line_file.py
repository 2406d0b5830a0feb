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

from pachyderm_cli.errors import CheckFailed, UsageError

LONGEST_LINE = 256 * 2**20
"""Bytes of a line, of which up to five times as many are in memory: what has no line ends is not to fill that.

An event's data is JSON inside of JSON, where a quote or a backslash takes two bytes. So half of this always goes in.
"""
LONGEST_MESSAGE = 256 * 2**20
"""Bytes of a message's data, or of the line that it is in. A device has no end, and is not to fill the memory."""

_PIECE = 2**20  # that a longer line is read in: one that is too long is then never put together


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
        """Yield the lines with their ends; of the first at most so many bytes.

        Raises UsageError where it cannot be read, CheckFailed for another line of more than LONGEST_LINE bytes.
        """
        try:
            if self.size is not None:
                self.stream.seek(0)
            yield self.stream.readline(longest_first)
            number = 1
            while line := self._line(number + 1):
                number += 1
                yield line
        except OSError as error:
            raise UsageError(f"{self.path} cannot be read: {error.strerror}") from error

    def _line(self, number: int) -> bytes:
        piece = self.stream.readline(_PIECE)
        if len(piece) < _PIECE and len(piece) <= LONGEST_LINE:
            return piece
        pieces, size = [piece], len(piece)
        while size <= LONGEST_LINE and not piece.endswith(b"\n") and (piece := self.stream.readline(_PIECE)):
            pieces.append(piece)
            size += len(piece)
        if size > LONGEST_LINE:
            raise _too_long(number)
        return b"".join(pieces)


def _too_long(number: int) -> CheckFailed:
    return CheckFailed(
        f"line {number}: it is longer than the {LONGEST_LINE // 2**20} MiB that import reads; if export wrote it so, "
        "pachyderm copy takes it from store to store, otherwise the file was changed",
        line=number,
    )


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
