"""A project whose effects leave a trace, and `pachyderm worker` in processes that may be killed there."""

import json
import subprocess
from itertools import count
from pathlib import Path
from typing import Any

from pachyderm_cli import Pachyderm
from tests.cli.running import ROOT, Command
from tests.support import killed_outbox, modules, trace

_PROJECT = """\
[outbox]
lease_seconds = {lease}

[effects]
trace = "{trace}"
"""


class Workplace:
    """A project, its store, and what workers there have done."""

    def __init__(self, folder: Path, store_url: str, sources: dict[str, str], lease_seconds: float = 600) -> None:
        """Write the project with those modules."""
        self.folder = folder
        self.store_url = store_url
        self.trace = folder / "trace"
        self.write(sources)
        settings = _PROJECT.format(lease=lease_seconds, trace=self.trace)
        (folder / "pachyderm.toml").write_text(settings, encoding="utf-8")
        self._command = Command(folder, ROOT, {"PACHYDERM_STORE": store_url})
        self._numbers = count(1)

    def write(self, sources: dict[str, str]) -> None:
        """Write modules, whatever their files said before."""
        modules.write(self.folder, sources)

    def engine(self) -> Pachyderm:
        """Return an engine on the project, which the caller closes."""
        return Pachyderm.open(self.folder, store=self.store_url)

    def start(self, *arguments: str, **settings: str) -> "subprocess.Popen[bytes]":
        """Start a worker in a process of its own; `settings` are added to its environment."""
        number = next(self._numbers)
        with (self.folder / f"worker-{number}.out").open("wb") as out, (self.folder / "worker.err").open("ab") as err:
            return subprocess.Popen(
                self._command.line("worker", "--json", *arguments),
                cwd=self.folder,
                env=self._command.environment(settings),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )

    def work_once(self, *arguments: str) -> int:
        """Let a worker do what is due, to the end; return how its process ended."""
        with self.start("--once", *arguments) as process:
            return process.wait(killed_outbox.SECONDS)

    def run(self, *arguments: str) -> int:
        """Run the command; return how its process ended."""
        return self._command(*arguments).status

    def lines(self) -> list[tuple[str, ...]]:
        """Return the words of each line of the trace."""
        return trace.lines(self.trace)

    def told(self) -> list[dict[str, Any]]:
        """Return the lines that workers printed, but for one that its process was killed in."""
        found: list[dict[str, Any]] = []
        for file in sorted(self.folder.glob("worker-*.out")):
            whole, _, _ = file.read_text(encoding="utf-8").rpartition("\n")
            found += [json.loads(line) for line in whole.splitlines()]
        return found

    def size_of_trace(self) -> int:
        """Return how long the trace is by now."""
        return self.trace.stat().st_size if self.trace.exists() else 0
