"""Writing: results to standard output, everything else to standard error; colour on a terminal only.

People's output is made of lines, a line of (text, style) pieces. Piped, a line is its text, whole; rich, which
takes its time to load, is needed on a terminal only. What a terminal might obey is made visible either way: what is
piped ends on one as well, by way of a file, a pager or a log.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

from pachyderm_cli.cli.json_text import to_json
from pachyderm_cli.domain.hiding import hidden_in, without_passwords
from pachyderm_cli.errors import OutputError, PachydermError

if TYPE_CHECKING:
    from rich.console import Console

Piece = tuple[str, str]
Line = tuple[Piece, ...]
ResultT = TypeVar("ResultT")
ItemT = TypeVar("ItemT")


_results: list[TextIO] = []
_REPEATED_AFTER = 60.0  # seconds


def results() -> TextIO:
    """Return the stream that results go to: standard output, also while user code's prints are put aside."""
    return _results[-1] if _results else sys.stdout


@contextmanager
def prints_aside() -> Iterator[None]:
    """Send what user code prints to standard error, so that standard output holds results alone."""
    _results.append(sys.stdout)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        _results.pop()


def emit(
    result: ResultT,
    as_json: bool,  # noqa: FBT001 - every command passes its --json on
    serialize: Callable[[ResultT], dict[str, Any]],
    render: Callable[[ResultT], Iterable[Line]],
) -> None:
    """Print a result: as one JSON document on a line, or as lines for people."""
    if as_json:
        _put(results(), _safe_json(to_json(serialize(result)), results()))
    else:
        for line in list(render(result)):  # all of it, or nothing and an error
            write(results(), line)


def emit_each(
    stream: Iterable[ResultT],
    as_json: bool,  # noqa: FBT001 - as above
    serialize: Callable[[ResultT], dict[str, Any]],
    render: Callable[[ResultT], Iterable[Line]],
) -> int:
    """Print results as they come, one JSON object a line or lines for people; return how many there were."""
    count = 0
    for result in stream:
        emit(result, as_json, serialize, render)
        count += 1
    return count


def pass_on(lines: Iterable[str]) -> None:
    """Print lines that have their ends, byte for byte in UTF-8; a terminal gets them so that it obeys nothing."""
    stream = results()
    for line in lines:
        if stream.isatty():
            _put(stream, _safe_json(line[:-1], stream))
            continue
        with _output_errors():
            stream.buffer.write(line.encode())


def note(text: str) -> None:
    """Tell people something beside the result, on standard error."""
    write(sys.stderr, ((without_passwords(text), "dim"),))


@contextmanager
def warnings_noted() -> Iterator[None]:
    """Let each of the engine's warnings be one note, whatever loggers user code sets up.

    One that comes again and again, as of a database that is away, is repeated once a minute.
    """
    logger, told = logging.getLogger("pachyderm"), _Notes(logging.WARNING)
    propagated, logger.propagate = logger.propagate, False
    logger.addHandler(told)
    try:
        yield
    finally:
        logger.removeHandler(told)
        logger.propagate = propagated


class _Notes(logging.Handler):
    def __init__(self, level: int) -> None:
        super().__init__(level)
        self._told: dict[str, float] = {}

    def emit(self, record: logging.LogRecord) -> None:
        text, now = record.getMessage(), time.monotonic()
        self._told = {each: at for each, at in self._told.items() if now - at < _REPEATED_AFTER}
        if text not in self._told:
            self._told[text] = now
            with suppress(OSError, PachydermError):  # what it is about goes on, whether or not anybody reads of it
                note(text)


def write(stream: TextIO, line: Line) -> None:
    """Write one line: styled on a terminal, as plain text elsewhere."""
    if is_coloured(stream):
        from rich.text import Text  # noqa: PLC0415 - slow to load, and for terminals only

        text = Text.assemble(*((harmless(piece), style) for piece, style in line))
        _console(stream).print(text, soft_wrap=True, highlight=False)
        return
    _put(stream, harmless("".join(piece for piece, _ in line)))


def finish() -> None:
    """See to it that standard output has everything. Raises OutputError where it takes no more."""
    with _output_errors():
        results().flush()


def tell_error(error: PachydermError, *, as_json: bool, input_line: int | None = None) -> None:
    """Tell an error on standard error: as one JSON line, or as a plain line; `input_line` is where it arose."""
    told = without_passwords(error.message)  # it may quote a URL that somebody gave for something else
    message = told if input_line is None else f"line {input_line}: {told}"
    with suppress(OSError):  # the error that matters is the one to be told
        results().flush()
    with suppress(OSError, PachydermError):  # the exit status tells it to who closed standard error
        if as_json:
            # Details are anyone's, an entity's own rejections have some; code and message are ours.
            named: dict[str, Any] = {"code": error.code, "message": message}
            if input_line is not None:
                # An entity's own `line` stays beside it.
                named["input_line" if "line" in error.details else "line"] = input_line
            _put(sys.stderr, to_json({"error": {**named, **hidden_in(error.details), **named}}))
        else:
            write(sys.stderr, (("error: ", "bold red"), (message, "")))


def tell_traceback() -> None:
    """Show where the error that is being handled arose, for PACHYDERM_DEBUG; a terminal obeys nothing in it."""
    import traceback  # noqa: PLC0415 - for debugging only

    with suppress(OSError, PachydermError):
        for line in without_passwords(traceback.format_exc()).splitlines():
            _put(sys.stderr, harmless(line) if sys.stderr.isatty() else line)


def _put(stream: TextIO, text: str) -> None:
    with _output_errors():
        stream.write(text + "\n")


@contextmanager
def _output_errors() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise unwritable(error) from error


def unwritable(error: OSError) -> OutputError:
    """Return the error for output that cannot be written; what is left of it goes nowhere."""
    abandon()
    return OutputError(f"the output cannot be written: {error.strerror}; what was committed is kept")


def abandon() -> None:
    """Let what standard output still holds go nowhere: the interpreter would try it again at exit, and complain."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), results().fileno())


def _safe_json(text: str, stream: TextIO) -> str:
    """Return the JSON `text` with what a terminal might obey, or the stream's encoding lacks, as JSON's escapes."""
    if stream.isatty():
        return "".join(each if each.isprintable() else json.dumps(each)[1:-1] for each in text)
    if stream.encoding.lower() != "utf-8":
        return "".join(each if each.isascii() else json.dumps(each)[1:-1] for each in text)
    return text


def is_coloured(stream: TextIO) -> bool:
    """Tell whether colour is wanted there: a terminal, and no NO_COLOR."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def harmless(text: str) -> str:
    """Return `text` with what a terminal might obey (escape sequences, controls, reordering) made visible."""
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() or each == "\t" else each.encode("unicode_escape").decode() for each in text
    )


def progress(
    items: Iterable[ItemT],
    what: str,
    total: int | None = None,
    *,
    size: Callable[[ItemT], int] = lambda _: 1,
    printing: bool = False,
) -> Iterator[ItemT]:
    """Yield `items`, with a progress bar on standard error while that is a terminal.

    An item counts as many as its `size` of the `total`, or of so many a second where there is none. Where results
    are `printing` to the same terminal meanwhile, they are the progress, and no bar is drawn.
    """
    if not is_coloured(sys.stderr) or (printing and results().isatty()):
        yield from items
        return
    from rich.progress import Progress  # noqa: PLC0415 - slow to load, and for terminals only

    with Progress(console=_console(sys.stderr), transient=True) as bar:
        task = bar.add_task(what, total=total)
        for item in items:
            yield item
            bar.advance(task, size(item))


@contextmanager
def progress_told(what: str, *, beside: bool = False) -> Iterator[Callable[[int, int], None] | None]:
    """Give what is to be told how much is done, and of how much; None where no terminal would show it.

    Results that come `beside` it on the same terminal are the progress.
    """
    if beside or not is_coloured(sys.stderr):
        yield None
        return
    from rich.progress import Progress  # noqa: PLC0415 - slow to load, and for terminals only

    with Progress(console=_console(sys.stderr), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@lru_cache(maxsize=2)
def _console(stream: TextIO) -> Console:
    from rich.console import Console  # noqa: PLC0415 - slow to load, and for terminals only

    return Console(file=stream)
