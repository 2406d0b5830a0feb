"""The command line in forked children: no interpreter to start, nothing to load, and thousands of runs are bearable."""

import os
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import NoReturn

import pachyderm_cli.cli.commands
import pachyderm_cli.store
from pachyderm_cli.cli import app
from torture.judge.laws import Breach
from torture.load.told import ERROR, ERROR_JSON, is_error, lines_of, parses, unknown_lines

CONTRACT = frozenset({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 130, 141})
"""The exit statuses that there are."""

_LONGEST = 300
_INTERRUPTED = (130, 141)
_PATIENCE = 60.0  # seconds until a command counts as hanging
_USER_CODE = "account.py:"
_OTHER_USER = 65534  # nobody, wherever there is one


@dataclass(frozen=True)
class Done:
    """What a command answered: its exit status (negative: the signal that ended it), and what it wrote."""

    arguments: tuple[str, ...]
    status: int
    out: str
    err: str
    memory: int = 0
    """Bytes that its process had at most, beside those that it was forked with."""

    @property
    def error(self) -> str:
        """The line that says what went wrong, "" if there is none."""
        return next((line for line in lines_of(self.err) if is_error(line)), "")

    def breaches(self, allowed: Sequence[int], where: str) -> list[Breach]:
        """Return how the answer breaks the contract: another status than `allowed`, a traceback, more than a line.

        Status 1 is that of user code, and names its file; what is to be JSON is, whatever came after it.
        """
        text = f"{where}: {' '.join(self.arguments)}: status {self.status}: {self.err.strip()[-_LONGEST:]!r}"
        found = []
        if self.status not in CONTRACT or self.status not in allowed:
            found.append(Breach("a_status_of_the_contract", text))
        if self.status == 1 and _USER_CODE not in self.error:
            found.append(Breach("a_status_of_the_contract", f"a failure that is not user code's: {text}"))
        if "Traceback" in self.err or "unexpected failure" in self.err:
            found.append(Breach("no_traceback", text))
        if self.status not in _INTERRUPTED and not self._is_told_clearly():
            found.append(Breach("one_clear_line", text))
        if bad := [line for line in lines_of(self.out) if not parses(line)] if self._is_json() else []:
            found.append(Breach("json_is_json", f"{bad[0][:_LONGEST]!r}: {text}"))
        return found

    def _is_told_clearly(self) -> bool:
        """Tell whether there is one line for a failure, of the kind asked for, and beside it known notes alone."""
        errors = [line for line in lines_of(self.err) if is_error(line)]
        wanted = ERROR_JSON if "--json" in self.arguments else ERROR
        is_clear = all(line.startswith(wanted) and (wanted == ERROR or parses(line)) for line in errors)
        return is_clear and len(errors) == (self.status != 0) and not unknown_lines(self.err)

    def _is_json(self) -> bool:
        return "--json" in self.arguments or self.arguments[-1:] == ("export",)


def load_everything() -> None:
    """Load what any command may need, so that no child has to."""
    for package in (pachyderm_cli.cli.commands, pachyderm_cli.store, pachyderm_cli):
        for module in walk_packages(package.__path__, package.__name__ + "."):
            if not module.name.endswith((".env", "__main__", ".template", ".testing")) and ".checks" not in module.name:
                import_module(module.name)


def command(
    folder: Path, *arguments: str, stdin: str | bytes = "", as_nobody: bool = False, output_is_full: bool = False
) -> Done:
    """Run `pachyderm` in a folder; `as_nobody` without root's rights, which stand above all others.

    With `output_is_full` its standard output takes nothing.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, tempfile.TemporaryFile() as given:
        given.write(stdin if isinstance(stdin, bytes) else stdin.encode())
        given.seek(0)
        sys.stdout.flush()
        inherited = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
        process = os.fork()
        if process == 0:
            for target, file in enumerate((given, out, err)):
                os.dup2(file.fileno(), target)
            if output_is_full:
                os.dup2(os.open("/dev/full", os.O_WRONLY), 1)
            _be_the_command(folder, arguments, as_nobody=as_nobody)
        status, memory = _ended(process)
        out.seek(0)
        err.seek(0)
        told = [stream.read().decode(errors="replace") for stream in (out, err)]
        return Done(arguments, status, told[0], told[1], max(memory - inherited, 0))


def _be_the_command(folder: Path, arguments: Sequence[str], *, as_nobody: bool) -> NoReturn:
    status = 1
    try:
        os.chdir(folder)
        if as_nobody and os.geteuid() == 0:
            os.setgroups([])
            os.setresgid(_OTHER_USER, _OTHER_USER, _OTHER_USER)
            os.setresuid(_OTHER_USER, _OTHER_USER, _OTHER_USER)
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - the parent's may be read already
        # As the command's own start has them, whatever the parent made of its own.
        sys.stdout, sys.stderr = (
            open(number, "w", encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115 - to the end
            for number in (1, 2)
        )
        status = app.run(list(arguments))
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException as error:  # noqa: BLE001 - what comes out of `run` is a fault, and told as one
        os.write(2, f"Traceback: {error!r}\n".encode())
    os._exit(status)


def _ended(process: int) -> tuple[int, int]:
    """Wait for a process; return its exit status, and the memory that it had at most."""
    end = time.monotonic() + _PATIENCE
    while True:
        found, status, used = os.wait4(process, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status), used.ru_maxrss * 1024
        if time.monotonic() > end:
            os.kill(process, signal.SIGKILL)
        time.sleep(0.002)
