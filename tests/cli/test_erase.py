"""`pachyderm erase`: for good, only when it is meant, and told wherever the entity is named afterwards."""

import sqlite3
from unittest.mock import patch

import pytest

from pachyderm_cli.store.erasing import scrub
from tests.cli.running import Command

KEYS = [
    "entity",
    "network",
    "last_version",
    "position",
    "erased_at",
    "why",
    "events",
    "effects",
    "copies",
    "scrubbed",
]
ERASE = ("erase", "counter:@ada", "--why", "ticket 1815")


@pytest.fixture
def written(on_store: Command) -> Command:
    """Return the command where there are two counters."""
    for reference in ("counter:@ada", "counter:@bob", "counter:@ada"):
        on_store.quick("send", reference, "increment").done()
    return on_store


def test_an_entity_is_erased(written: Command) -> None:
    """What went is told; the entity is not listed any more, and whatever names it says when and why it was erased."""
    entity = written.quick("inspect", "counter:@ada", "--json").done().document["entity"]
    erased = written.quick(*ERASE, "--yes", "--json").done().document
    assert list(erased) == KEYS
    assert (erased["entity"], erased["last_version"], erased["why"]) == (entity, 2, "ticket 1815")
    assert (erased["events"], erased["copies"], erased["scrubbed"]) == (2, [], True)
    assert [each["version"] for each in written.quick("list", "--json").done().documents] == [1]
    for arguments in (
        ("send", "counter:@ada", "increment"),
        ("history", "counter:@ada"),
        ("inspect", entity["id"]),
        (*ERASE, "--yes"),
    ):
        refused = written.quick(*arguments, "--json")
        assert (refused.status, refused.out) == (3, "")
        assert (refused.error["code"], refused.error["why"]) == ("erased", "ticket 1815")
        assert refused.error["erased_at"] == erased["erased_at"]


def test_followers_get_it_as_an_event(written: Command) -> None:
    """It is an object like every other, of the type `$erased`, at its own position."""
    written.quick(*ERASE, "--yes").done()
    log = written.quick("follow", "--from-start", "--once", "--json").done().documents
    assert [each["type"] for each in log] == ["Increased", "$erased"]
    assert log[1]["data"] == {"last_version": 2, "why": "ticket 1815"}
    assert (log[1]["entity"]["type"], log[1]["version"]) == ("counter", 3)


def test_copies_are_named(written: Command) -> None:
    """Whoever erases learns what has the same history by a fork."""
    copy = written.quick("fork", "counter:@ada", "--json").done().document["entity"]
    assert f"{copy['type']}:{copy['id']}" in written.quick(*ERASE, "--yes").done().out


def test_it_is_not_done_unasked(written: Command) -> None:
    """Where nobody can be asked it wants --yes; nothing is erased without it, nor without a reason."""
    refused = written.quick(*ERASE)
    assert (refused.status, refused.out) == (2, "")
    assert "--yes" in refused.err
    assert written.quick("erase", "counter:@ada", "--yes").status == 2
    assert written.quick("erase", "counter:@ada", "--yes", "--why", " ").status == 2
    assert written.quick("erase", "counter:@nobody", "--yes", "--why", "x").status == 3
    assert len(written.quick("list", "--json").done().documents) == 2


def test_on_a_terminal_it_asks(pachyderm: Command) -> None:
    """It names the entity and erases it only if someone says yes."""
    pachyderm.quick("send", "counter:@ada", "increment").done()
    assert "nothing was erased" in pachyderm.on_terminal(*ERASE, typed="\n")
    pachyderm.quick("inspect", "counter:@ada").done()
    assert "was erased" in pachyderm.on_terminal(*ERASE, typed="y\n")
    assert pachyderm.quick("inspect", "counter:@ada").status == 3


def test_a_file_that_others_keep_reading_is_told(pachyderm: Command) -> None:
    """The entity is erased all the same; the result says that the file was not written anew, and what to do."""
    pachyderm.quick("send", "counter:@ada", "increment").done()
    reader = sqlite3.connect(pachyderm.folder / "pachyderm.db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM pachyderm_events").fetchall()
    with patch("pachyderm_cli.engine.erasing.scrub", lambda store: scrub(store, 0.1)):
        result = pachyderm.quick(*ERASE, "--yes", "--json")
    assert (result.status, result.document["scrubbed"], result.error["code"]) == (7, False, "store_error")
    assert "pachyderm store scrub" in result.error["message"]
    reader.close()
    assert pachyderm.quick("store", "scrub", "--json").done().document["scrubbed"] is True
    assert pachyderm.quick("inspect", "counter:@ada").status == 3


def test_the_file_may_be_written_anew_later(pachyderm: Command) -> None:
    """With --no-scrub only the rows go, which the result says."""
    pachyderm.quick("send", "counter:@ada", "increment").done()
    assert pachyderm.quick(*ERASE, "--yes", "--no-scrub", "--json").done().document["scrubbed"] is None
