"""Running the command as its users do, and reading what it prints."""

import fcntl
import io
import json
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator, Mapping
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

from pachyderm_cli.cli.app import run

ROOT = Path(__file__).resolve().parents[2]
COLUMNS = 60
SECONDS = 120
"""How long a command may take before it counts as hanging."""


@dataclass(frozen=True)
class Result:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on standard output."""
        (document,) = self.documents
        return document

    @property
    def documents(self) -> list[Any]:
        """The JSON documents on standard output, one a line."""
        return [json.loads(line) for line in lines(self.out)]

    @property
    def error(self) -> dict[str, Any]:
        """The error of the one JSON line on standard error."""
        (error,) = self.errors
        return error

    @property
    def errors(self) -> list[dict[str, Any]]:
        """The errors on standard error, one JSON line each."""
        documents = [json.loads(line) for line in lines(self.err)]
        assert [list(document) for document in documents] == [["error"]] * len(documents)
        return [document["error"] for document in documents]

    def done(self) -> "Result":
        """Return this result of a command that did what it was asked."""
        assert self.status == 0, self
        return self


def lines(text: str) -> list[str]:
    """Return the lines of `text`, each of which was ended; only a newline ends one."""
    assert not text or text.endswith("\n")
    return text.split("\n")[:-1]


@dataclass(frozen=True)
class Command:
    """The `pachyderm` command, as it is run in `folder`."""

    folder: Path
    site: Path
    """A folder from which Python imports the package, and nothing else of this checkout."""
    settings: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, *arguments: str | Path, stdin: str | bytes = "", **settings: str) -> Result:
        """Run it in a process of its own; `settings` are added to the environment."""
        done = subprocess.run(
            self.line(*arguments),
            cwd=self.folder,
            env=self.environment(settings),
            input=stdin if isinstance(stdin, bytes) else stdin.encode(),
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
        return Result(done.returncode, done.stdout.decode(), done.stderr.decode())

    def quick(self, *arguments: str | Path, stdin: str | bytes = "", **settings: str) -> Result:
        """Run it in this process, where a process of its own would only be slower."""
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="\n") for _ in "oe")
        text = stdin if isinstance(stdin, bytes) else stdin.encode()
        with (
            chdir(self.folder),
            patch.dict(os.environ, self.environment(settings), clear=True),
            patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(text), encoding="utf-8")),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            status = run([str(argument) for argument in arguments])
        return Result(status, *(_text(stream) for stream in (out, err)))

    def start(
        self, *arguments: str | Path, stdin: int = subprocess.DEVNULL, **settings: str
    ) -> "subprocess.Popen[str]":
        """Start it in a process of its own; with a pipe as `stdin`, see `tell` and `hear`."""
        return subprocess.Popen(
            self.line(*arguments),
            cwd=self.folder,
            env=self.environment(settings),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def on_terminal(
        self, *arguments: str | Path, typed: str = "", interrupt_at: str | None = None, **settings: str
    ) -> str:
        """Run it on a terminal, and return what the terminal got, on whichever of the two streams.

        `typed` is what someone types; once the text `interrupt_at` is shown, the command is interrupted.
        """
        with _terminal() as (ours, theirs):
            process = subprocess.Popen(
                self.line(*arguments),
                cwd=self.folder,
                env=self.environment({"TERM": "xterm-256color", **settings}),
                stdin=theirs,
                stdout=theirs,
                stderr=theirs,
            )
            os.close(theirs)
            os.write(ours, typed.encode())
            shown = b""
            for chunk in _chunks(ours):
                shown += chunk
                if interrupt_at is not None and interrupt_at.encode() in shown:
                    process.send_signal(signal.SIGINT)
                    interrupt_at = None
            process.wait(timeout=SECONDS)
        return shown.decode().replace("\r\n", "\n")

    def log(self) -> list[Any]:
        """Return every entity with its events: all that is stored."""
        heads = self.quick("list", "--json").done().documents
        return [(head, self.quick("history", head["entity"]["id"], "--json").done().documents) for head in heads]

    def line(self, *arguments: str | Path) -> list[str]:
        """Return the command line."""
        return [sys.executable, "-m", "pachyderm_cli", *(str(argument) for argument in arguments)]

    def environment(self, settings: Mapping[str, str]) -> dict[str, str]:
        """Return the environment: the least there is, a narrow window, this command's settings and `settings`."""
        least = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "COLUMNS": str(COLUMNS),
            "PYTHONPATH": str(self.site),
        }
        return {**least, **self.settings, **settings}

    def elsewhere(self, folder: Path, **settings: str) -> "Command":
        """Return the command run in another folder, or with more settings."""
        return Command(folder, self.site, {**self.settings, **settings})

    def store(self, url: str) -> "Command":
        """Return the command on the store of that URL."""
        return self.elsewhere(self.folder, PACHYDERM_STORE=url)


def tell(process: "subprocess.Popen[str]", text: str) -> None:
    """Write `text` to a command that was started, in one piece if it is no longer than a pipe takes."""
    assert process.stdin is not None
    process.stdin.write(text)
    process.stdin.flush()


def hear(process: "subprocess.Popen[str]", count: int) -> list[Any]:
    """Return the next `count` JSON documents that it prints; a command that prints fewer, and goes on, hangs here."""
    assert process.stdout is not None
    return [json.loads(process.stdout.readline()) for _ in range(count)]


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    written: io.BytesIO = stream.buffer  # type: ignore[assignment]  # it was made on one
    return written.getvalue().decode()


@contextmanager
def _terminal() -> Iterator[tuple[int, int]]:
    """Give both ends of a narrow pseudo terminal; the caller closes the second."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
    try:
        yield ours, theirs
    finally:
        os.close(ours)


def _chunks(descriptor: int) -> Iterator[bytes]:
    """Yield what comes out of a terminal until its other end is closed, which Linux tells by an error."""
    while True:
        try:
            chunk = os.read(descriptor, 65536)
        except OSError:
            return
        if not chunk:
            return
        yield chunk
