"""`store verify`: what it prints, its exit status, and that a damaged file ends as findings or as one clear error."""

import random
import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import delete, text, update

from pachyderm_cli.store.schema import entities, events
from tests.cli.running import Command, lines
from tests.support.raw import execute

KEYS = ["check", "network", "entity", "version", "problem"]
COUNTS = ["networks", "entities", "events", "snapshots", "lookups", "effects", "forks", "cursors", "folded", "compared"]
PAGE = 4096


def fill(command: Command) -> None:
    """Send a few messages."""
    for name in "abc":
        command.quick("send", f"counter:@{name}", "increment").done()
    command.quick("send", "counter:@a", "increment").done()
    command.quick("snapshot", "counter:@a").done()


def test_a_sound_store_is_told_with_how_much_was_read(on_store: Command) -> None:
    """Without findings the summary is the one document, and the exit status 0."""
    fill(on_store)
    summary = on_store.quick("store", "verify", "--json").done().document
    assert list(summary) == [*COUNTS, "findings", "not_loaded", "skipped"]
    assert (summary["entities"], summary["events"], summary["folded"], summary["findings"]) == (3, 4, 3, 0)
    told = on_store.quick("store", "verify").done()
    assert told.out == "3 entities, 4 events verified, 3 entities folded: 0 findings\n"


def test_each_finding_is_told_and_then_the_summary(on_store: Command, store_url: str) -> None:
    """A finding is a line or a document, the summary comes last, and the exit status is 9."""
    fill(on_store)
    execute(store_url, delete(events).where(events.c.version == 2))
    result = on_store.quick("store", "verify", "--json")
    assert (result.status, result.error["code"], result.error["findings"]) == (9, "check_failed", 1)
    finding, summary = result.documents
    assert list(finding) == KEYS
    assert (finding["check"], finding["network"], finding["version"]) == ("head", "default", 1)
    assert finding["entity"]["type"] == "counter"
    assert summary["findings"] == 1
    found, told = lines(on_store.quick("store", "verify").out)
    assert found.startswith(f"✗ head  default counter:{finding['entity']['id']} version 1: ")
    assert told.endswith("1 finding")


def test_all_networks_are_verified_when_asked(on_store: Command, store_url: str) -> None:
    """--all-networks finds what is wrong in another network than this one; --type looks at one type alone."""
    fill(on_store)
    on_store.quick("--network", "other", "send", "box:@b", "ring").done()
    execute(store_url, update(entities).where(entities.c.network == "other").values(version=2))
    assert on_store.quick("store", "verify").status == 0
    assert on_store.quick("store", "verify", "--all-networks", "--type", "counter").status == 0
    for arguments in (("--all-networks",), ("--all-networks", "--type", "box")):
        finding, _ = on_store.quick("store", "verify", *arguments, "--json").documents
        assert (finding["network"], finding["entity"]["type"]) == ("other", "box")


def test_a_type_that_nobody_knows_is_told(on_store: Command) -> None:
    """A misspelt --type is a usage error that names the nearest one."""
    fill(on_store)
    result = on_store.quick("store", "verify", "--type", "countr", "--json")
    assert (result.status, result.error["code"]) == (2, "unknown_entity_type")
    assert "counter" in result.error["message"]


def test_types_without_code_are_named(on_store: Command) -> None:
    """Entities whose module cannot be loaded are verified but for the fold, and standard error names their types."""
    fill(on_store)
    (on_store.folder / "entities" / "counter.py").write_text("def handle(", encoding="utf-8")
    result = on_store.quick("store", "verify", "--json").done()
    assert result.document["folded"] == 0
    assert "syntax error" in result.document["not_loaded"]["counter"]
    assert result.err == "not folded, since they cannot be loaded here: counter\n"


def test_what_is_no_whole_store_is_an_error(pachyderm: Command) -> None:
    """A store that is not there, and one of an older schema, are errors with status 7, and nothing is made."""
    result = pachyderm.quick("store", "verify", "--json")
    assert (result.status, result.out, result.error["code"]) == (7, "", "store_error")
    assert list(pachyderm.folder.glob("*.db*")) == []
    fill(pachyderm)
    execute(f"sqlite:///{pachyderm.folder}/pachyderm.db", text("UPDATE pachyderm_schema SET version_num = '0005'"))
    result = pachyderm.quick("store", "verify", "--json")
    assert result.status == 7
    assert "pachyderm store migrate" in result.error["message"]


def test_a_terminal_sees_the_progress_and_then_what_was_found(pachyderm: Command) -> None:
    """On a terminal the bar is gone when the findings are shown."""
    fill(pachyderm)
    execute(f"sqlite:///{pachyderm.folder}/pachyderm.db", delete(events).where(events.c.version == 2))
    shown = pachyderm.on_terminal("store", "verify")
    assert "verifying" in shown
    assert shown.rindex("verifying") < shown.index("✗")


def test_a_reference_to_a_row_that_is_not_there_is_found(pachyderm: Command) -> None:
    """A foreign key of a project's own table beside ours that points nowhere is found by SQLite's own check."""
    fill(pachyderm)
    with closing(sqlite3.connect(pachyderm.folder / "pachyderm.db")) as connection:
        connection.execute("CREATE TABLE note (event INTEGER REFERENCES pachyderm_events (position))")
        connection.execute("INSERT INTO note VALUES (1), (999)")
        connection.commit()
    finding, _ = pachyderm.quick("store", "verify", "--json").documents
    assert finding["check"] == "file"
    assert finding["problem"] == "row 2 of note refers to a row of pachyderm_events that is not there"


def test_damage_ends_as_findings_or_as_one_error(pachyderm: Command) -> None:
    """Whichever page of the file is overwritten or cut off, it is told, and never by a traceback."""
    fill(pachyderm)
    file = pachyderm.folder / "pachyderm.db"
    whole = file.read_bytes()
    chance = random.Random(1)  # noqa: S311 - no secret
    statuses = set()
    for start in range(0, len(whole), PAGE):
        for spoilt in (whole[:start] + chance.randbytes(PAGE) + whole[start + PAGE :], whole[: start + 100]):
            if not any(whole[len(spoilt) :]) and whole.startswith(spoilt):
                continue  # nothing but zeros is cut off, which SQLite reads there anyway
            _put(file, spoilt)
            result = pachyderm.quick("store", "verify", "--json")
            assert result.status in (7, 9), (start, result)
            assert result.error["code"] in ("store_error", "check_failed")
            statuses.add(result.status)
    assert statuses == {7, 9}


def test_text_that_is_none_is_found(pachyderm: Command) -> None:
    """A byte that makes an event's data no UTF-8 is found where it is, and the other entities are verified."""
    fill(pachyderm)
    file = pachyderm.folder / "pachyderm.db"
    whole = file.read_bytes()
    at = whole.index(b'{"amount":1}')
    _put(file, whole[: at + 2] + b"\xff" + whole[at + 3 :])
    finding, summary = pachyderm.quick("store", "verify", "--json").documents
    assert finding["check"] == "json"
    assert (summary["events"], summary["findings"]) == (4, 1)


def _put(file: Path, content: bytes) -> None:
    for name in ("-wal", "-shm"):
        file.with_name(file.name + name).unlink(missing_ok=True)
    file.write_bytes(content)
