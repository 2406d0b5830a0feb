"""Commands that write a file, told to end by a signal: they take it away first, and end as the signal has them."""

import signal
import subprocess
import sys

import pytest

from tests.cli.running import SECONDS, Command

PROGRAM = """
import os, signal, sys
from pachyderm_cli.cli.app import run
from pachyderm_cli.store import new_file

def told(path):
    assert path.exists() and path.name.endswith(".partial")
    print("writing", file=sys.stderr, flush=True)
    first, *more = map(int, sys.argv[1].split(","))
    new_file._sync = sync
    try:
        os.kill(os.getpid(), first)
    finally:
        for number in more:
            os.kill(os.getpid(), number)

sync, new_file._sync = new_file._sync, told
signal.signal(signal.SIGHUP, signal.SIG_IGN if sys.argv[2] == "nohup" else signal.SIG_DFL)
sys.exit(run(sys.argv[3:]))
"""
"""The command with the arguments from the third on; it gets signals when its file is written, and not yet named."""


def told(command: Command, numbers: str, hangup: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Return how the command ended."""
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, numbers, hangup, *arguments],
        cwd=command.folder,
        env=command.environment({}),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


@pytest.fixture
def used(pachyderm: Command) -> Command:
    """Return the command, on a store with an entity."""
    pachyderm.quick("send", "counter:@a", "increment").done()
    return pachyderm


@pytest.mark.parametrize("arguments", [("export", "-o", "file"), ("backup", "file")], ids=["export", "backup"])
@pytest.mark.parametrize("numbers", [(signal.SIGTERM,), (signal.SIGHUP,), (signal.SIGTERM, signal.SIGTERM)])
def test_a_signal_leaves_nothing(used: Command, arguments: tuple[str, ...], numbers: tuple[int, ...]) -> None:
    """SIGTERM and SIGHUP, once or twice, end it by that signal; the older file stays, and nothing is beside it."""
    (used.folder / "file").write_text("older")
    before = sorted(used.folder.iterdir())
    ended = told(used, ",".join(str(int(each)) for each in numbers), "", *arguments, "--force")
    assert (ended.returncode, ended.stdout, ended.stderr) == (-numbers[0], "", "writing\n")
    assert sorted(used.folder.iterdir()) == before
    assert (used.folder / "file").read_text() == "older"


def test_nohup_is_heeded(used: Command) -> None:
    """A SIGHUP that the caller has ignored changes nothing."""
    assert told(used, str(int(signal.SIGHUP)), "nohup", "backup", "file").returncode == 0
    assert (used.folder / "file").exists()
