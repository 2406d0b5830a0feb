"""Ctrl-C: nothing that was committed is lost, and nothing half done is kept."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.cli.running import SECONDS, Command, Result, hear, tell

MESSAGE = "interrupted; what was committed is kept, and pachyderm history shows it"


def interrupt(command: Command, where: str, *options: str) -> Result:
    """Send Pause, interrupt the command once it sleeps, and return how it ended."""
    flag = command.folder / "flag"
    with command.start("send", "box:@b", "pause", f"where={where}", f"flag={flag}", *options) as process:
        _wait_for(flag)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=SECONDS)
    return Result(process.returncode, out, err)


def _wait_for(flag: Path) -> None:
    end = time.monotonic() + SECONDS
    while not flag.exists():
        assert time.monotonic() < end, "the command did not come so far"
        time.sleep(0.02)


def test_an_interrupt_after_the_commit_keeps_the_event(on_store: Command) -> None:
    """Ctrl-C between commit and output ends with 130; the event is there, and its id finds the outcome."""
    identifier = "0190f5fc-0000-7000-8000-000000000001"
    result = interrupt(on_store, "effect", "--id", identifier, "--json")
    assert (result.status, result.out) == (130, "")
    assert result.error == {"code": "interrupted", "message": MESSAGE}
    (event,) = on_store.quick("history", "box:@b", "--json").done().documents
    assert (event["type"], event["message_id"]) == ("Rang", identifier)
    flag = on_store.folder / "flag"
    again = ("send", "box:@b", "pause", "where=effect", f"flag={flag}", "--id", identifier, "--json")
    assert on_store.quick(*again).done().document["duplicate"] is True


def test_an_interrupt_while_the_entity_decides_writes_nothing(on_store: Command) -> None:
    """Ctrl-C while `handle` runs ends with 130, and nothing is written."""
    result = interrupt(on_store, "handle")
    assert result == Result(130, "", f"error: {MESSAGE}\n")
    assert on_store.log() == []


def test_an_interrupted_file_keeps_the_lines_before(on_store: Command) -> None:
    """Ctrl-C in the middle of a file ends with 130; what was committed before is shown and kept, and nothing more."""
    flag = on_store.folder / "flag"
    ring = '{"to": "box:@b", "message": "ring"}\n'
    pause = f'{{"to": "box:@b", "message": "pause", "data": {{"where": "handle", "flag": "{flag}"}}}}\n'
    with on_store.start("send", "--file", "-", "--json", stdin=subprocess.PIPE) as process:
        tell(process, ring * 2)
        shown = hear(process, 2)
        tell(process, ring + pause + ring)  # together: while the pause is decided, nothing of it is written
        _wait_for(flag)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=SECONDS)
    result = Result(process.returncode, out, err)
    assert (result.status, result.out, result.error["code"]) == (130, "", "interrupted")
    assert [sent["version"] for sent in shown] == [1, 2]
    assert len(on_store.quick("history", "box:@b", "--json").documents) == 2


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGKILL])
def test_a_killed_command_leaves_what_it_committed(pachyderm: Command, sign: signal.Signals) -> None:
    """A command that is ended by force after its commit leaves a whole store that holds the event."""
    flag = pachyderm.folder / "flag"
    with pachyderm.start("send", "box:@b", "pause", "where=effect", f"flag={flag}") as process:
        _wait_for(flag)
        os.kill(process.pid, sign)
        process.communicate(timeout=SECONDS)
    assert process.returncode == -sign
    assert pachyderm.quick("inspect", "box:@b", "--json").done().document["version"] == 1
