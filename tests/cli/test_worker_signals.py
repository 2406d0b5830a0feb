"""`pachyderm worker` goes on until it is told to end, and ends as it is told."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from tests.cli.outbox import EFFECT, MESSAGE, letters, post
from tests.cli.running import SECONDS, Command, hear, lines

pytestmark = pytest.mark.usefixtures("outbox_lab")


def nap(command: Command, seconds: float) -> None:
    """Have the courier sleep so long, which is left to a worker."""
    command.quick("send", "courier:@a", "nap", f"seconds={seconds}", "--id", MESSAGE, "--no-effects").done()


def wait_for_the_nap(command: Command) -> None:
    """Return once the courier sleeps."""
    _wait_until((command.folder / "asleep").exists)


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_lines_come_as_effects_end_and_a_signal_ends_it(on_store: Command, sign: signal.Signals) -> None:
    """What comes up while it waits is carried out and printed at once; a signal then ends it, with status 0."""
    with on_store.start("worker", "--json") as process:
        for text in ("one", "two"):
            post(on_store, f"text={text}")
            (worked,) = hear(process, 1)
            assert (worked["type"], worked["status"]) == ("Letter", "done")
        process.send_signal(sign)
        out, err = process.communicate(timeout=SECONDS)
    assert (process.returncode, out, err) == (0, "", "writing one\nwriting two\n")
    assert letters(on_store) == ["one", "two"]


def test_it_is_quiet_while_it_waits(pachyderm: Command) -> None:
    """With nothing due, a worker that is no terminal's prints nothing from its start to its end."""
    post(pachyderm)
    with pachyderm.start("worker", "--json") as process:
        hear(process, 1)
        time.sleep(1.2)  # more than one look at the outbox
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=SECONDS)
    assert (process.returncode, out, err) == (0, "", "writing hello\n")


@pytest.mark.parametrize("once", [(), ("--once",)], ids=["on", "once"])
def test_a_signal_lets_what_is_under_way_end(on_store: Command, once: tuple[str, ...]) -> None:
    """What was begun is ended and printed; what was not begun is left to another worker."""
    nap(on_store, 2)
    post(on_store)
    with on_store.start("worker", "--json", "--concurrency", "1", *once) as process:
        wait_for_the_nap(on_store)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=SECONDS)
    assert (process.returncode, err) == (0, "")
    (line,) = lines(out)
    assert f'"id": "{EFFECT}", "type": "Sleep"' in line
    assert '"status": "done"' in line
    assert letters(on_store) == []
    on_store.quick("worker", "--once").done()
    assert letters(on_store) == ["hello"]


@pytest.mark.parametrize("as_json", [(), ("--json",)], ids=["plain", "json"])
def test_a_second_signal_ends_it_at_once(on_store: Command, as_json: tuple[str, ...]) -> None:
    """Told to end once more, it waits for nothing: status 130, an error, and the effect is another worker's."""
    nap(on_store, 600)
    with on_store.start("worker", *as_json) as process:
        wait_for_the_nap(on_store)
        end = time.monotonic() + SECONDS
        while process.poll() is None:
            assert time.monotonic() < end, "it goes on"
            process.send_signal(signal.SIGINT)
            time.sleep(0.05)
        out, err = process.communicate(timeout=SECONDS)
    assert (process.returncode, out) == (130, "")
    message = "interrupted; what was under way is left to another worker once its lease has run out"
    expected = f'{{"error": {{"code": "interrupted", "message": "{message}"}}}}' if as_json else f"error: {message}"
    assert err == expected + "\n"
    left = on_store.quick("effects", "show", EFFECT, "--json").done().document
    assert (left["status"], left["attempts"]) == ("pending", 1)


def test_two_signals_of_one_moment_are_one(pachyderm: Command) -> None:
    """Told to end twice in a moment, as timeout(1) does, it ends what is under way, with status 0."""
    nap(pachyderm, 2)
    with pachyderm.start("worker", "--json") as process:
        wait_for_the_nap(pachyderm)
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 0
    assert '"status": "done"' in out


def test_a_signal_before_it_has_begun_ends_it_too(pachyderm: Command) -> None:
    """Whenever the signal comes, the worker ends soon: with 0, or, before Python could take note, by the signal."""
    for delay in (0.1, 0.3, 0.5, 0.7):
        with pachyderm.start("worker") as process:
            time.sleep(delay)
            process.send_signal(signal.SIGTERM)
            _, err = process.communicate(timeout=SECONDS)
        assert process.returncode in (0, -signal.SIGTERM)
        assert err == ""


FORKING = """
import os, signal, sys, threading, time
from pachyderm_cli.cli.stopping import stopped_by_signals

with stopped_by_signals(as_json=False) as stop:
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.write(writer, b"!")  # what comes while a process is being forked is nobody's
        time.sleep(60)
        os._exit(0)
    os.read(reader, 1)
    os.kill(child, signal.SIGTERM)
    ended = os.waitpid(child, 0)[1]
    before = stop.is_set()
    os.kill(os.getpid(), signal.SIGTERM)
    print(os.WTERMSIG(ended) == signal.SIGTERM, before, stop.wait(60))
"""


def test_a_child_that_an_effect_forked_can_be_ended(pachyderm: Command) -> None:
    """The signals that a worker waits for end a forked child as they would any process, and not its parent."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORKING],
        env=pachyderm.environment({}),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("True False True\n", "")


def test_where_there_are_no_signals_it_works_all_the_same(pachyderm: Command) -> None:
    """In another thread than the main one, where Python tells of no signals, a worker with --once does its work."""
    post(pachyderm)
    script = (
        "import sys, threading\n"
        "from pachyderm_cli.cli.app import run\n"
        "statuses = []\n"
        "thread = threading.Thread(target=lambda: statuses.append(run(['worker', '--once'])))\n"
        "thread.start(); thread.join(); sys.exit(statuses[0])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=pachyderm.folder,
        env=pachyderm.environment({}),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done
    assert letters(pachyderm) == ["hello"]


def _wait_until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.02)
