"""`pachyderm follow` and `history --follow`: the log live, by cursors, and a command for each event."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.cli.running import SECONDS, Command, Result, hear, lines

FAILING_TWICE = "cat >> seen; echo x >> tries; test $(wc -l < tries) -ge 3"
LEASE = "[outbox]\nlease_seconds = 0.5\n"


def fill(command: Command) -> None:
    """Write two events to one counter and one to another."""
    for reference, amount in (("counter:@a", 1), ("counter:@b", 2), ("counter:@a", 3)):
        command.quick("send", reference, "increment", f"amount={amount}").done()


def amounts(result: Result) -> list[int]:
    """Return what the events that were printed say."""
    return [each["data"]["amount"] for each in result.documents]


def once(command: Command, *arguments: str) -> list[int]:
    """Return what the events say that there are for a follower now."""
    return amounts(command.quick("follow", "--once", "--json", *arguments).done())


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_events_come_as_they_are_written(on_store: Command, sign: signal.Signals) -> None:
    """Each is one object as `history` prints it, as soon as it is written; a signal ends it quietly, with status 0."""
    on_store.quick("send", "counter:@a", "increment", "amount=1").done()
    with on_store.start("follow", "--from-start", "--json") as process:
        assert hear(process, 1) == on_store.quick("history", "counter:@a", "--json").done().documents
        for amount in (2, 3):
            on_store.quick("send", "counter:@a", "increment", f"amount={amount}").done()
            assert [each["data"] for each in hear(process, 1)] == [{"amount": amount}]
        process.send_signal(sign)
        out, err = process.communicate(timeout=SECONDS)
    assert (process.returncode, out, err) == (0, "", "")


def test_people_see_a_line_for_each(pachyderm: Command) -> None:
    """Position, entity, version, time, message, event and data are on one line, however narrow the window."""
    fill(pachyderm)
    shown = lines(pachyderm.quick("follow", "--once", "--from", "2").done().out)
    assert [line.split()[0] for line in shown] == ["2", "3"]
    assert all("counter:" in line and "Increment -> Increased" in line for line in shown)


def test_parts_of_the_log_are_chosen(on_store: Command) -> None:
    """From a position on, of a type, of an entity; without any of these what is written from now on."""
    fill(on_store)
    assert once(on_store, "--from-start") == [1, 2, 3]
    assert once(on_store, "--from", "2") == [2, 3]
    assert once(on_store, "--from-start", "--entity", "counter:@a") == [1, 3]
    assert once(on_store, "--from-start", "--type", "box") == []
    assert once(on_store) == []


def test_a_cursor_goes_on_where_it_stood(on_store: Command) -> None:
    """What one run printed the next one does not print again; `cursors` shows, sets and drops it."""
    fill(on_store)
    assert once(on_store, "--cursor", "c") == [1, 2, 3]
    on_store.quick("send", "counter:@a", "increment", "amount=4").done()
    (cursor,) = on_store.quick("cursors", "list", "--json").done().documents
    assert list(cursor) == ["name", "position", "behind", "held", "lease_until", "created_at", "updated_at"]
    assert (cursor["name"], cursor["position"], cursor["behind"], cursor["held"]) == ("c", 3, 1, False)
    assert once(on_store, "--cursor", "c") == [4]
    assert on_store.quick("cursors", "set", "c", "2", "--json").done().document["behind"] == 2
    assert once(on_store, "--cursor", "c") == [3, 4]
    assert on_store.quick("cursors", "list").done().out == "c  position 4  at the end\n"
    assert on_store.quick("cursors", "drop", "c", "--json").done().document["position"] == 4
    assert on_store.quick("cursors", "list", "--json").done().out == ""
    assert "no cursors" in on_store.quick("cursors", "list").done().err


def test_a_cursor_is_not_taken_along_by_what_nobody_got(pachyderm: Command) -> None:
    """Where standard output takes nothing, the cursor stays where it was, and the command ends quietly."""
    fill(pachyderm)
    reading, writing = os.pipe()
    os.close(reading)
    ended = subprocess.run(
        pachyderm.line("follow", "--cursor", "c", "--json"),
        cwd=pachyderm.folder,
        env=pachyderm.environment({}),
        stdout=writing,
        stderr=subprocess.PIPE,
        timeout=SECONDS,
        check=False,
    )
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (141, b"")
    assert once(pachyderm, "--cursor", "c") == [1, 2, 3]


def test_a_command_runs_for_each_event(on_store: Command) -> None:
    """It gets each event as JSON on its standard input, in order, and the cursor goes along with it."""
    fill(on_store)
    result = on_store("follow", "--cursor", "c", "--once", "--exec", "cat").done()
    assert (amounts(result), result.err) == ([1, 2, 3], "")
    assert once(on_store, "--cursor", "c") == []


def test_a_command_that_fails_is_tried_again(pachyderm: Command) -> None:
    """The same event comes again until the command exits with 0; each failure is told."""
    fill(pachyderm)
    result = pachyderm("follow", "--from", "3", "--once", "--exec", FAILING_TWICE).done()
    assert len(lines((pachyderm.folder / "seen").read_text(encoding="utf-8"))) == 3
    first, second = lines(result.err)
    assert first.startswith("the command exited with 1 for Increased of counter:")
    assert "at position 3; attempt 2 in " in first
    assert "attempt 3 in " in second


def test_after_the_last_attempt_it_stops(pachyderm: Command) -> None:
    """The event is named, with status 8, and is the next one's first; those before it are done."""
    fill(pachyderm)
    failing = 'line=$(cat); case "$line" in *\'"amount":2\'*) exit 3;; esac; echo "$line"'
    follow = ("follow", "--cursor", "c", "--json", "--once", "--exec", failing, "--max-attempts", "2")
    result = pachyderm(*follow)
    assert (result.status, amounts(result)) == (8, [1])
    told = lines(result.err)[-1]
    assert '"code": "effect_failed"' in told
    assert '"position": 2' in told
    assert '"attempts": 2' in told
    assert once(pachyderm, "--cursor", "c") == [2, 3]


def test_a_follower_that_was_killed_is_followed_by_another(on_store: Command) -> None:
    """Who waits says so, and goes on with what the killed one had not finished once its lease has run out."""
    (on_store.folder / "pachyderm.toml").write_text(LEASE, encoding="utf-8")
    fill(on_store)
    holding = "cat >> seen; echo >> begun; until test -e end; do sleep 0.1; done"
    with on_store.start("follow", "--cursor", "c", "--exec", holding) as killed:
        wait_for(on_store.folder / "begun")
        refused = on_store.quick("follow", "--cursor", "c", "--once", "--json")
        assert (refused.status, refused.error["code"], refused.error["cursor"]) == (4, "cursor_held", "c")
        with on_store.start("follow", "--cursor", "c", "--json") as second:
            assert second.stderr is not None
            assert "another follower has the cursor 'c'" in second.stderr.readline()
            killed.kill()
            (on_store.folder / "end").touch()
            assert [each["data"]["amount"] for each in hear(second, 3)] == [1, 2, 3]
            second.send_signal(signal.SIGTERM)
            second.communicate(timeout=SECONDS)
    assert second.returncode == 0


@pytest.mark.parametrize("command", ["touch begun; exec sleep 60", "touch begun; sleep 60; exit 130"])
def test_ctrl_c_ends_it_and_its_command_quietly(pachyderm: Command, command: str) -> None:
    """A terminal signals both; that the command was ended by it is no failure, however few attempts there are."""
    fill(pachyderm)
    line = pachyderm.line("follow", "--cursor", "c", "--exec", command, "--max-attempts", "1")
    with subprocess.Popen(
        line,
        cwd=pachyderm.folder,
        env=pachyderm.environment({}),
        stderr=subprocess.PIPE,
        process_group=0,
    ) as process:
        wait_for(pachyderm.folder / "begun")
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=SECONDS)
    assert (process.returncode, err) == (0, b"")


@pytest.mark.parametrize("command", ["follow", "history"])
def test_ctrl_c_on_a_terminal_ends_it_quietly(pachyderm: Command, command: str) -> None:
    """What ends at once is announced by nothing."""
    fill(pachyderm)
    arguments = ("follow", "--from-start") if command == "follow" else ("history", "counter:@a", "--follow")
    shown = pachyderm.on_terminal(*arguments, interrupt_at="amount")
    assert "ending" not in shown


def wait_for(file: Path) -> None:
    """Return once the file is there."""
    end = time.monotonic() + SECONDS
    while not file.exists():
        assert time.monotonic() < end, "the follower hangs"
        time.sleep(0.02)


def test_history_goes_on(on_store: Command) -> None:
    """`history --follow` prints what there is and then what comes, of that entity alone."""
    fill(on_store)
    with on_store.start("history", "counter:@a", "--follow", "--json") as process:
        assert [each["version"] for each in hear(process, 2)] == [1, 2]
        on_store.quick("send", "counter:@b", "increment").done()
        on_store.quick("send", "counter:@a", "increment").done()
        assert [each["version"] for each in hear(process, 1)] == [3]
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=SECONDS)
    assert (process.returncode, out, err) == (0, "", "")


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (("follow", "--from", "1", "--from-start"), 2, "--from or --from-start"),
        (("follow", "--from", "0"), 2, "--from"),
        (("follow", "--max-attempts", "2"), 2, "--exec"),
        (("follow", "--exec", " "), 2, "needs a command"),
        (("follow", "--cursor", ""), 2, "needs a name"),
        (("follow", "--cursor", "a\nb"), 2, "no name of a cursor"),
        (("follow", "--cursor", "there", "--from", "1", "--once"), 2, "cursors set"),
        (("follow", "--entity", "counter:zz", "--once"), 2, "counter:zz"),
        (("follow", "--entity", "counter:aaaa", "--once"), 3, "counter:aaaa"),
        (("follow", "--type", "no type", "--once"), 2, "no type"),
        (("history", "--follow", "--reverse"), 2, "--reverse"),
        (("cursors", "set", "there", "99"), 2, "from 0 to 3"),
        (("cursors", "drop", "nobody"), 3, "'there'"),
    ],
)
def test_what_makes_no_sense_is_told(pachyderm: Command, arguments: tuple[str, ...], status: int, told: str) -> None:
    """Wrong options, positions and names end with the contract's status, and say what there is."""
    fill(pachyderm)
    pachyderm.quick("cursors", "set", "there", "1").done()
    result = pachyderm.quick(*arguments)
    assert (result.status, result.out) == (status, "")
    assert told in result.err


def test_dropping_asks_first_on_a_terminal(pachyderm: Command) -> None:
    """A cursor is forgotten only if someone says yes, or nobody can be asked."""
    fill(pachyderm)
    pachyderm.quick("cursors", "set", "c", "1").done()
    assert "nothing was dropped" in pachyderm.on_terminal("cursors", "drop", "c", typed="n\n")
    assert "position 1" in pachyderm.on_terminal("cursors", "drop", "c", typed="y\n")
    assert pachyderm.quick("cursors", "list").done().out == ""
