"""`pachyderm send --file`: killed in the middle and run again, or run twice at once: everything in exactly once."""

import json
import subprocess
from pathlib import Path

from sqlalchemy import func, select

from pachyderm_cli.store.schema import events
from tests.cli.running import SECONDS, Command, hear, tell
from tests.support.clients import wait_for_the_server
from tests.support.raw import connected

COUNT = 4000
FILLING = "x" * 600  # so that the file has ten blocks or more, each of which is a commit


def message_id(first: int, number: int) -> str:
    """Return the id of line `number` in the file that is told by `first`."""
    return f"0190f5fc-{first:04}-7000-8000-{number:012}"


def write(file: Path, count: int, first: int = 0) -> list[str]:
    """Write a file of `count` lines to a hundred boxes in turn, and return the ids of its messages."""
    ids = [message_id(first, number) for number in range(count)]
    with file.open("w", encoding="utf-8") as out:
        for number, identifier in enumerate(ids):
            document = {"to": f"box:@{number % 100}", "message": "put-in", "data": {"text": FILLING}, "id": identifier}
            out.write(json.dumps(document) + "\n")
    return ids


def logged_ids(store_url: str) -> list[str]:
    """Return the message ids of the log's events, in order; each message here leads to one event."""
    with connected(store_url) as connection:
        return [str(each) for each in connection.scalars(select(events.c.message_id).order_by(events.c.position))]


def require_finishing(on_store: Command, store_url: str, file: Path, ids: list[str]) -> None:
    """Require that the log holds the beginning of the file alone, and that running it again adds just the rest."""
    wait_for_the_server(store_url)
    kept = logged_ids(store_url)
    assert kept == ids[: len(kept)]
    assert 0 < len(kept) < len(ids), "it was to be killed in the middle"
    again = on_store("send", "--file", file).done()
    assert again.out == f"{len(ids)} handled, {len(kept)} of them handled before\n"
    assert logged_ids(store_url) == ids


def test_a_file_that_is_killed_while_it_sends_leaves_its_beginning(
    on_store: Command, store_url: str, tmp_path: Path
) -> None:
    """Killed at some moment among its commits, a file has sent its first lines and no others; run again, all."""
    file = tmp_path / "long.jsonl"
    ids = write(file, COUNT)
    beginning = "".join(file.read_text(encoding="utf-8").splitlines(keepends=True)[: COUNT - 500])
    with on_store.start("send", "--file", "-", stdin=subprocess.PIPE) as process:
        tell(process, beginning)  # returns when the process has read all but the last of it, and is not done with it
        process.kill()
    assert process.returncode == -9
    require_finishing(on_store, store_url, file, ids)


def test_a_file_that_is_killed_while_it_tells_has_committed_what_it_tells(
    on_store: Command, store_url: str, tmp_path: Path
) -> None:
    """A result that was seen is in the log, whenever the process is killed; running the file again finishes it."""
    ids = write(tmp_path / "long.jsonl", COUNT)
    with on_store.start("send", "--file", tmp_path / "long.jsonl", "--json") as process:
        seen = [sent["message_id"] for sent in hear(process, 700)]  # then the pipe fills, and the process waits
        process.kill()
    assert process.returncode == -9
    assert seen == logged_ids(store_url)[:700]
    require_finishing(on_store, store_url, tmp_path / "long.jsonl", ids)


def test_two_files_at_once_are_both_sent_exactly_once(on_store: Command, store_url: str, tmp_path: Path) -> None:
    """Two processes that send to the same entities wait for each other: every line is in once, each file in order."""
    files = [tmp_path / "one.jsonl", tmp_path / "two.jsonl"]
    ids = [write(file, 1500, first) for first, file in enumerate(files)]
    on_store.quick("send", "box:@0", "ring").done()  # so that neither has to make the store
    processes = [on_store.start("send", "--file", file) for file in files]
    ends = [(*process.communicate(timeout=SECONDS), process.returncode) for process in processes]
    assert ends == [("1500 handled\n", "", 0)] * 2
    logged = logged_ids(store_url)[1:]
    assert len(logged) == 3000
    assert [[each for each in logged if each in set(of_file)] for of_file in ids] == ids
    versions = select(events.c.entity_id, func.max(events.c.version), func.count()).group_by(events.c.entity_id)
    with connected(store_url) as connection:
        assert all(newest == count for _, newest, count in connection.execute(versions))
