"""`send --file`: JSON Lines in, results out in the same order, bad lines told by number."""

from __future__ import annotations

import codecs
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import typer
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import to_json

from pachyderm_cli.cli import line_file, render, render_effects, serialize
from pachyderm_cli.cli.exit_codes import exit_code
from pachyderm_cli.cli.output import emit, finish, note, progress, results, tell_error, write
from pachyderm_cli.domain.naming import suggestion
from pachyderm_cli.engine.deciding import Request
from pachyderm_cli.engine.engine import Pachyderm
from pachyderm_cli.engine.results import Sent
from pachyderm_cli.errors import EffectFailed, InvalidMessage, PachydermError, UsageError


class Line(BaseModel):
    """One line of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    to: str
    message: str
    data: dict[str, Any] = {}
    id: UUID | None = None


_LINE = Line.__pydantic_validator__

_BLOCK = 524_288
"""Bytes that are read at a time, at most: some thousands of lines, which share a commit."""


def send_lines(pachyderm: Pachyderm, path: str, options: dict[str, Any], *, keep_going: bool, as_json: bool) -> None:
    """Send every line of the file, in order; print results as JSON Lines, or a summary.

    The lines that are there at a time share a commit, and their results are printed after it. Every failure is told
    with its line's number. The first bad line ends it, unless `keep_going`; a failing effect ends nothing, since its
    message is committed. Raises typer.Exit with the first failure's exit status.
    """
    sending = _Sending(pachyderm, options, keep_going=keep_going, as_json=as_json)
    with _opened(path) as stream:
        for lines in progress(_lines_at_hand(stream, path), "sending", size=len, printing=as_json):
            sending.send(lines)
            if sending.stopped_at is not None:
                break
    if not as_json:
        write(results(), ((sending.summary(), ""),))
    if sending.left:
        note(render_effects.left(sending.left))
    if sending.first_failure is not None:
        raise typer.Exit(exit_code(sending.first_failure))


class _Sending:
    """Lines on their way, and what became of those before."""

    def __init__(self, pachyderm: Pachyderm, options: dict[str, Any], *, keep_going: bool, as_json: bool) -> None:
        self._pachyderm = pachyderm
        self._options = options
        self._keep_going = keep_going
        self._as_json = as_json
        self._waiting: list[tuple[int, Request | PachydermError]] = []
        self._handled = self._duplicates = self._failures = 0
        self.left = 0  # deliveries that are a worker's to make
        self.first_failure: PachydermError | None = None
        self.stopped_at: int | None = None

    def send(self, lines: Iterable[tuple[int, bytes]]) -> None:
        """Send these lines, in as few commits as can be, and tell what became of each."""
        for number, text in lines:
            request = self._read(text)
            if self.stopped_at is not None:
                return
            self._waiting.append((number, request))
            if isinstance(request, PachydermError) and not self._keep_going:
                break
        self._commit()

    def summary(self) -> str:
        """Return for people what became of all lines."""
        parts = [f"{self._handled} handled"]
        if self._duplicates:
            parts.append(f"{self._duplicates} of them handled before")
        if self._failures:
            parts.append(f"{self._failures} failed")
        if self.stopped_at is not None:
            parts.append(f"stopped at line {self.stopped_at} (--keep-going goes on)")
        return ", ".join(parts)

    def _read(self, text: bytes) -> Request | PachydermError:
        try:
            line = read_line(text)
        except PachydermError as error:
            return error
        if not self._pachyderm.is_exact(line.to):
            self._commit()  # whom it means may be up to the lines before, and what fails there is not this line's
        try:
            data = to_json(line.data)
            return self._pachyderm.request(line.to, line.message, data, message_id=line.id, source=text)
        except PachydermError as error:
            return error

    def _commit(self) -> None:
        waiting, self._waiting = self._waiting, []
        requests = [each for _, each in waiting if isinstance(each, Request)]
        outcomes = iter(self._pachyderm.send_all(requests, keep_going=self._keep_going, **self._options))
        for number, each in waiting:
            self._tell(number, each if isinstance(each, PachydermError) else next(outcomes))
            if self.stopped_at is not None:
                break
        finish()  # whoever writes a line and waits for its result has it

    def _tell(self, number: int, outcome: Sent | PachydermError) -> None:
        try:
            if isinstance(outcome, PachydermError):
                raise outcome
            self._handled += 1
            self._duplicates += outcome.duplicate
            self.left += outcome.left
            if self._as_json:
                emit(outcome, self._as_json, serialize.sent, render.sent)
            outcome.require_effects()
        except PachydermError as error:
            self._failures += 1
            self.first_failure = self.first_failure or error
            tell_error(error, as_json=self._as_json, input_line=number)
            if not self._keep_going and not isinstance(error, EffectFailed):
                self.stopped_at = number


def read_line(text: bytes) -> Line:
    """Return what a line of the file says. Raises InvalidMessage."""
    try:
        return _LINE.validate_json(text)  # type: ignore[no-any-return]  # pydantic's validator says nothing of it
    except ValidationError as error:
        problem = error.errors(include_url=False, include_context=False)[0]
        path = ".".join(str(part) for part in problem["loc"])
        if problem["type"] == "extra_forbidden":
            told = f"there is no key {path!r}; {suggestion(path, Line.model_fields)}"
        elif path:
            told = f"{path}: {problem['msg']}"
        else:
            told = problem["msg"]
        raise InvalidMessage(f'{told}; a line is {{"to": REF, "message": NAME, "data": {{…}}, "id": UUID}}') from error


def _lines_at_hand(stream: BufferedReader, path: str) -> Iterator[list[tuple[int, bytes]]]:
    """Yield the lines with their numbers from 1, blank ones left out; as many together as need no waiting."""
    number = size = 0
    parts: list[bytes] = []  # of the line that is not whole yet
    while block := _read_block(stream, path):
        *ends, rest = block.split(b"\n")
        if ends:
            ends[0] = b"".join([*parts, ends[0]])
            parts.clear()
            yield _numbered(ends, number)
            number += len(ends)
        parts.append(rest)
        size = size + len(rest) if not ends else len(rest)
        if size > line_file.LONGEST_MESSAGE:  # a device has no end, nor a line in it
            longest = line_file.LONGEST_MESSAGE // 2**20
            told = f"line {number + 1} is longer than the {longest} MiB that a message may have"
            raise UsageError(f"--file {path}: {told}; what was sent before is kept")
    yield _numbered([b"".join(parts)], number)


def _read_block(stream: BufferedReader, path: str) -> bytes:
    try:
        return stream.read1(_BLOCK)
    except OSError as error:
        raise UsageError(f"--file {path}: {error}; what was sent before is kept") from error


def _numbered(lines: Iterable[bytes], before: int) -> list[tuple[int, bytes]]:
    numbered = list(enumerate(lines, before + 1))
    if numbered[0][0] == 1:  # editors of some systems put a mark there
        numbered[0] = (1, numbered[0][1].removeprefix(codecs.BOM_UTF8))
    return [(number, line) for number, line in numbered if line.strip()]


@contextmanager
def _opened(path: str) -> Iterator[BufferedReader]:
    if path == "-":
        with suppress(OSError, ValueError):  # no file behind it
            os.set_blocking(sys.stdin.fileno(), True)  # or "nothing yet" would look like the end
        yield cast("BufferedReader", sys.stdin.buffer)
        return
    try:
        file = Path(path).open("rb")  # noqa: SIM115 - closed below; only the opening's errors are usage
    except (OSError, ValueError) as error:
        raise UsageError(f"--file {path}: {error}") from error
    with file:
        yield file
