"""`send --file`: JSON Lines in, results out in the same order, bad lines told by number."""

from __future__ import annotations

import codecs
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import typer
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import to_json

from pachyderm_cli.cli import render, serialize
from pachyderm_cli.cli.exit_codes import exit_code
from pachyderm_cli.cli.output import emit, progress, results, tell_error, write
from pachyderm_cli.domain.arguments import require_exact_numbers
from pachyderm_cli.domain.naming import suggestion
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


@dataclass
class _Tally:
    handled: int = 0
    duplicates: int = 0
    first_failure: PachydermError | None = None
    failures: int = 0
    stopped_at: int | None = None


def send_lines(pachyderm: Pachyderm, path: str, options: dict[str, Any], *, keep_going: bool, as_json: bool) -> None:
    """Send every line of the file, in order; print results as JSON Lines, or a summary.

    Every failure is told with its line's number. The first bad line ends it, unless `keep_going`; a failing effect
    ends nothing, since its message is committed. Raises typer.Exit with the first failure's exit status.
    """
    tally = _Tally()
    with _opened(path) as lines:
        for number, text in progress(_numbered(lines), "sending", printing=as_json):
            try:
                sent = _send_line(pachyderm, text, options)
                tally.handled += 1
                tally.duplicates += sent.duplicate
                if as_json:
                    emit(sent, as_json, serialize.sent, render.sent)
                sent.require_effects()
            except PachydermError as error:
                _count(tally, number, error, as_json=as_json)
                if not keep_going and not isinstance(error, EffectFailed):
                    tally.stopped_at = number
                    break
    if not as_json:
        write(results(), ((_summary(tally), ""),))
    if tally.first_failure is not None:
        raise typer.Exit(exit_code(tally.first_failure))


def _send_line(pachyderm: Pachyderm, text: bytes, options: dict[str, Any]) -> Sent:
    line = _read_line(text)
    receiver = pachyderm.receiver(line.to)
    # Data that was read once has lost what it could lose already.
    require_exact_numbers(pachyderm.entity_type(receiver.type), line.message, text)
    message = pachyderm.message(receiver.type, line.message, to_json(line.data))
    return pachyderm.send(receiver, message, message_id=line.id, **options)


def _read_line(text: bytes) -> Line:
    try:
        return Line.model_validate_json(text)
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


def _count(tally: _Tally, number: int, error: PachydermError, *, as_json: bool) -> None:
    tally.failures += 1
    tally.first_failure = tally.first_failure or error
    tell_error(error, as_json=as_json, input_line=number)


def _summary(tally: _Tally) -> str:
    parts = [f"{tally.handled} handled"]
    if tally.duplicates:
        parts.append(f"{tally.duplicates} of them handled before")
    if tally.failures:
        parts.append(f"{tally.failures} failed")
    if tally.stopped_at is not None:
        parts.append(f"stopped at line {tally.stopped_at} (--keep-going goes on)")
    return ", ".join(parts)


def _numbered(lines: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield the lines that are not blank, with their numbers from 1."""
    for number, line in enumerate(lines, 1):
        text = line.removeprefix(codecs.BOM_UTF8) if number == 1 else line  # editors of some systems put one there
        if text.strip():
            yield number, text


@contextmanager
def _opened(path: str) -> Iterator[Iterable[bytes]]:
    if path == "-":
        yield sys.stdin.buffer
        return
    try:
        file = Path(path).open("rb")  # noqa: SIM115 - closed below; only the opening's errors are usage
    except (OSError, ValueError) as error:
        raise UsageError(f"--file {path}: {error}") from error
    with file:
        yield file
