"""`pachyderm worker`: what is due in the outbox is carried out, a line per attempt."""

import re
import subprocess
from pathlib import Path

import pytest

from pachyderm_cli.domain.reference import named_id
from tests.cli.outbox import EFFECT, MESSAGE, let_time_pass, letters, parked, post
from tests.cli.running import SECONDS, Command, lines

pytestmark = pytest.mark.usefixtures("outbox_lab")

KEYS = ["id", "type", "entity", "version", "to", "attempt", "status", "error", "seconds"]
A = {"type": "courier", "id": str(named_id("default", "courier", "a"))}
B = {"type": "courier", "id": str(named_id("default", "courier", "b"))}


def test_each_attempt_is_an_object_with_the_documented_keys(on_store: Command) -> None:
    """`worker --once --json` carries out what is due, prints an object per attempt, and succeeds."""
    post(on_store, "text=hello", options=("--id", MESSAGE, "--no-effects"))
    result = on_store("worker", "--once", "--json").done()
    (worked,) = result.documents
    assert list(worked) == KEYS
    assert (worked["id"], worked["type"], worked["entity"], worked["version"]) == (EFFECT, "Letter", A, 1)
    assert (worked["to"], worked["attempt"], worked["status"], worked["error"]) == (None, 1, "done", None)
    assert 0 <= worked["seconds"] < SECONDS
    assert letters(on_store) == ["hello"]
    assert result.err == "writing hello\n"
    assert on_store("worker", "--once", "--json").done().out == ""


def test_each_attempt_is_one_line_for_people(pachyderm: Command) -> None:
    """Without --json an attempt's line has the effect's id, its entity and version, what it is, and what came of it."""
    post(pachyderm, "text=hello", options=("--id", MESSAGE, "--no-effects"))
    pachyderm.quick("send", "courier:@a", "forward", "to=courier:@b", "text=far", "--no-effects").done()
    letter, sending, far = lines(pachyderm("worker", "--once", "--concurrency", "1").done().out)
    assert letter == f"{EFFECT}  courier:{A['id']} version 1  Letter done"
    assert sending.endswith(f"  courier:{A['id']} version 2  Send to courier:{B['id']} done")
    assert far.endswith(f"  courier:{B['id']} version 1  Letter done")


def test_a_message_to_an_entity_names_its_receiver(on_store: Command) -> None:
    """An attempt to deliver a message has `to`, and what the message led to comes after it."""
    on_store.quick("send", "courier:@a", "forward", "to=courier:@b", "text=far", "--no-effects").done()
    sending, letter = on_store.quick("worker", "--once", "--json").done().documents
    assert (sending["type"], sending["entity"], sending["to"], sending["status"]) == ("Send", A, B, "done")
    assert (letter["type"], letter["entity"], letter["to"], letter["status"]) == ("Letter", B, None, "done")


def test_a_failed_attempt_is_told_and_leaves_status_8(on_store: Command, store_url: str) -> None:
    """`--once` in which attempts failed, or parked an effect, has status 8, and says how many."""
    post(on_store, "text=a", "failing=1")
    on_store.quick("send", "courier:@a", "risk", "text=b", "--no-effects").done()
    post(on_store, "text=c")
    plain = on_store("worker", "--once")
    assert plain.status == 8
    assert plain.err.endswith("error: 2 of 3 attempts failed; pachyderm effects list shows what is left\n")
    told = sorted(line.partition(" version ")[2] for line in lines(plain.out))
    place = r"\(.*/entities/courier\.py:\d+\)"
    assert re.fullmatch(rf"1  Letter pending: OSError: the pen is broken {place}", told[0])
    assert re.fullmatch(rf"2  RiskyLetter parked: OSError: no ink {place}", told[1])
    assert told[2] == "3  Letter done"
    let_time_pass(store_url)
    (worked,) = on_store.quick("worker", "--once", "--json").done().documents
    assert (worked["attempt"], worked["status"]) == (2, "done")


def test_the_error_of_a_run_has_its_numbers(pachyderm: Command) -> None:
    """With --json the error of `--once` has the numbers of attempts and of failed ones."""
    post(pachyderm, "text=a", "failing=1")
    error = pachyderm.quick("worker", "--once", "--json").err.splitlines()[-1]
    assert '"code": "effect_failed"' in error
    assert '"attempts": 1, "failed": 1' in error


def test_a_later_attempt_says_which_it_is(pachyderm: Command, project: Path) -> None:
    """From the second attempt on its line says so, and a long one how long it took."""
    post(pachyderm, "text=a", "failing=1")
    pachyderm.quick("worker", "--once")
    let_time_pass(f"sqlite:///{project}/pachyderm.db")
    (line,) = lines(pachyderm.quick("worker", "--once").done().out)
    assert line.endswith("  Letter done (attempt 2)")
    pachyderm.quick("send", "courier:@a", "nap", "seconds=1.01", "--no-effects").done()
    (line,) = lines(pachyderm.quick("worker", "--once").done().out)
    assert re.search(r"  Sleep done in \d+\.\d s$", line)


def test_a_rejection_is_no_failure(on_store: Command) -> None:
    """A receiver's rejection is told as one, what goes back to the sender is delivered, and the status is 0."""
    on_store.quick("send", "courier:@a", "offer", "to=courier:@b", "--no-effects").done()
    offer, back = on_store.quick("worker", "--once", "--json").done().documents
    assert (offer["status"], offer["error"], offer["to"]) == ("rejected", "no room", B)
    assert (back["status"], back["to"]) == ("done", A)


def test_what_no_code_here_can_carry_out_is_told_at_the_start(pachyderm: Command, project: Path) -> None:
    """A type that cannot be loaded is named on standard error with the reason, and its effects stay."""
    post(pachyderm)
    source = (project / "entities/courier.py").read_text(encoding="utf-8")
    (project / "entities/courier.py").write_text("import nothing_of_that_name", encoding="utf-8")
    result = pachyderm("worker", "--once").done()
    (told,) = lines(result.err)
    assert told.startswith("what courier is to carry out waits, since it cannot be loaded: ")
    assert "entities/courier.py:1" in told
    assert result.out == ""
    (project / "entities/courier.py").write_text(source, encoding="utf-8")
    assert len(pachyderm.quick("worker", "--once", "--json").done().documents) == 1


def test_where_there_is_no_code_at_all_that_is_told(pachyderm: Command, tmp_path: Path) -> None:
    """Outside of any project a worker says that it can do nothing, and does nothing."""
    post(pachyderm)
    elsewhere = pachyderm.elsewhere(tmp_path).store(f"sqlite:///{pachyderm.folder}/pachyderm.db")
    result = elsewhere("worker", "--once").done()
    assert (result.out, result.err) == ("", "there are no entity modules here, so everything waits\n")
    (effect,) = elsewhere.quick("effects", "list", "--json").done().documents
    assert "this is no project" in effect["unreadable"]


def test_an_empty_outbox_is_done_at_once_and_made_nowhere(pachyderm: Command) -> None:
    """`--once` with nothing to do prints nothing, and leaves no store where there was none."""
    result = pachyderm("worker", "--once").done()
    assert (result.out, result.err) == ("", "")
    assert list(pachyderm.folder.glob("*.db*")) == []


def test_many_effects_are_each_done_once(on_store: Command) -> None:
    """However many are due and are carried out at a time, each has one line and happens once."""
    on_store.quick("send", "--file", "-", "--no-effects", stdin=_posts(150)).done()
    worked = on_store("worker", "--once", "--concurrency", "8", "--json").done().documents
    assert len({each["id"] for each in worked}) == len(worked) == 150
    assert sorted(letters(on_store)) == sorted(str(number) for number in range(150))


def test_a_broken_pipe_ends_it_quietly(pachyderm: Command) -> None:
    """When the reader of its lines goes, the worker ends without a word, and leaves the rest to another."""
    pachyderm.quick("send", "--file", "-", "--no-effects", stdin=_posts(500)).done()
    done = subprocess.run(
        [
            "/bin/bash",
            "-c",
            'set -o pipefail; "$@" | head -1',
            "bash",
            *pachyderm.line("worker", "--once", "--json"),
        ],
        cwd=pachyderm.folder,
        env=pachyderm.environment({}),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 141
    assert len(done.stdout.splitlines()) == 1
    assert all(line.startswith("writing ") for line in done.stderr.splitlines())
    assert len(letters(pachyderm)) < 500
    pachyderm.quick("worker", "--once").done()
    assert sorted(letters(pachyderm)) == sorted(str(number) for number in range(500))


LOUD = """
import logging
from typing import Any

from pachyderm_cli import Event, Message

logging.basicConfig(level=logging.INFO)


class Go(Message):
    pass


class Went(Event):
    pass


def init() -> list[Any]:
    return []


def handle(message: Go, state: list[Any]) -> list[Went]:
    return [Went()]


def update(event: Went, state: list[Any]) -> list[Any]:
    return [(1,)]  # what no snapshot can hold
"""


def test_a_warning_is_one_plain_note(pachyderm: Command, project: Path) -> None:
    """What the engine warns of is told on standard error, plainly and once, whatever loggers user code sets up."""
    (project / "entities/loud.py").write_text(LOUD, encoding="utf-8")
    (project / "pachyderm.toml").write_text("[snapshots]\nevery = 1\n", encoding="utf-8")
    (told,) = lines(pachyderm("send", "loud:@a", "go").done().err)
    assert told.startswith("loud: no snapshot can be taken: ")


def test_a_terminal_is_told_how_to_end_it(pachyderm: Command) -> None:
    """On a terminal the worker says that it waits and how it is ended, and then that it ends."""
    shown = pachyderm.on_terminal("worker", interrupt_at="Ctrl-C ends it", NO_COLOR="1")
    waiting, ending = lines(shown)
    assert waiting == "working on the network 'default', and waiting for more; Ctrl-C ends it"
    assert ending == "ending what is under way; once more ends at once"


def _posts(count: int) -> str:
    return "".join(
        f'{{"to": "courier:@{n % 7}", "message": "post", "data": {{"text": "{n}"}}}}\n' for n in range(count)
    )


def test_what_was_parked_runs_after_its_code_changed(on_store: Command, project: Path) -> None:
    """A worker tries what is parked again by itself once the code has changed, and not before."""
    parked(on_store)
    assert on_store.quick("worker", "--once", "--json").done().out == ""
    file = project / "entities/courier.py"
    file.write_text(file.read_text(encoding="utf-8").replace('"no ink"', '"no ink at all"'), encoding="utf-8")
    (project / "ink").touch()
    (worked,) = on_store.quick("worker", "--once", "--json").done().documents
    assert (worked["id"], worked["status"]) == (EFFECT, "done")
