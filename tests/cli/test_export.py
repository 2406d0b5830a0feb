"""`pachyderm export`: lines on standard output or in a file that is whole, and what is chosen."""

import json
import os
import stat
import subprocess

import pytest

from tests.cli.running import SECONDS, Command, lines

KEYS = ["store", "network", "file", "bytes", "events", "entities", "cursors", "forks", "effects", "sha256"]


@pytest.fixture
def used(on_store: Command) -> Command:
    """Return the command, on a store with two entities of two types."""
    on_store.quick("send", "counter:@a", "increment").done()
    on_store.quick("send", "counter:@a", "increment").done()
    on_store.quick("send", "box:@b", "put-in", "text=ünï \u2028").done()
    return on_store


def test_it_goes_to_standard_output_or_into_a_file(used: Command) -> None:
    """The same bytes, from a header to a footer; the file is its owner's alone, and the result says what is in it."""
    out = used.quick("export").done().out
    written = used.quick("export", "-o", "all.jsonl", "--json").done().document
    file = used.folder / "all.jsonl"
    assert file.read_bytes().decode() == out
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(written) == KEYS
    assert (written["events"], written["entities"], written["bytes"]) == (3, 2, file.stat().st_size)
    first, *_, last = map(json.loads, lines(out))
    assert (first["pachyderm"], first["format"], first["network"]) == ("export", 1, "default")
    assert last["end"]["sha256"] == written["sha256"]


def test_people_are_told_what_was_written(pachyderm: Command) -> None:
    """Without --json one line names the file and how much is in it; a terminal sees the progress before."""
    pachyderm.quick("send", "counter:@a", "increment").done()
    assert pachyderm.quick("export", "-o", "all.jsonl").done().out.startswith("all.jsonl: 1 event of 1 entity, ")
    shown = pachyderm.on_terminal("export", "-o", "other.jsonl")
    assert shown.index("exporting") < shown.index("1 event of 1 entity")
    assert json.loads(pachyderm.on_terminal("export").splitlines()[0])["pachyderm"] == "export"
    assert pachyderm.quick("--network", "empty", "export").done().err == "the network 'empty' has no entities\n"


def test_a_type_or_an_entity_is_chosen(used: Command) -> None:
    """Only their events; a misspelt type, or an entity that is not there, is an error."""
    for chosen, events in ((("--type", "box"), 1), (("--entity", "counter:@a"), 2)):
        documents = [json.loads(line) for line in lines(used.quick("export", *chosen).done().out)]
        assert documents[-1]["end"]["events"] == events
    for arguments, code in (
        (("--type", "bx"), "unknown_entity_type"),
        (("--entity", "counter:@nobody"), "not_found"),
        (("--type", "box", "--entity", "counter:@a"), "usage"),
    ):
        result = used.quick("export", *arguments, "--json")
        assert (result.out, result.error["code"]) == ("", code)


def test_a_file_that_is_there_is_kept_without_force(pachyderm: Command) -> None:
    """A file of that name is a usage error that names --force; what is no plain file is never replaced."""
    pachyderm.quick("send", "counter:@a", "increment").done()
    kept = pachyderm.folder / "all.jsonl"
    kept.write_text("kept")
    result = pachyderm.quick("export", "-o", "all.jsonl", "--json")
    assert (result.status, result.error["code"]) == (2, "usage")
    assert "--force" in result.error["message"]
    assert kept.read_text() == "kept"
    os.mkfifo(pachyderm.folder / "pipe")
    for other in ("entities", "pipe"):
        assert pachyderm.quick("export", "-o", other, "--force").status == 2
    assert (pachyderm.folder / "pipe").is_fifo()
    pachyderm.quick("export", "-o", "all.jsonl", "--force").done()
    assert kept.read_text() == pachyderm.quick("export").done().out


@pytest.mark.parametrize("force", [[], ["--force"]])
def test_no_store_is_ever_replaced(pachyderm: Command, force: list[str]) -> None:
    """The stores of all networks, their files by whatever name, are refused as they are for a backup."""
    project, folder = pachyderm.folder / "pachyderm.toml", pachyderm.folder
    networks = '\n[networks.shop]\nurl = "sqlite:///own.db"\n[networks.far]\nurl = "postgresql://u:${MISSING}@host/x"\n'
    project.write_text(project.read_text() + networks)
    pachyderm.quick("send", "counter:@a", "increment").done()
    pachyderm.quick("--network", "shop", "send", "counter:@b", "increment").done()
    (folder / "hard.jsonl").hardlink_to(folder / "own.db")
    (folder / "soft.jsonl").symlink_to("pachyderm.db")
    before = pachyderm.log()
    kept = {each: each.read_bytes() for each in folder.glob("*.*") if each.is_file()}
    main, own = ("pachyderm.db", "pachyderm.db-wal", "pachyderm.db-journal", "soft.jsonl"), ("own.db", "hard.jsonl")
    for name in (*main, *own, "own.db-shm", f"entities/../{main[0]}"):
        for chosen in ([], ["--network", "shop"], ["--store", "sqlite:///own.db"]):
            result = pachyderm.quick(*chosen, "export", "-o", name, "--json", *force)
            assert (result.status, result.out, result.error["code"]) == (2, "", "usage"), (name, chosen)
            assert "belongs to the store" in result.error["message"]
    assert {each: each.read_bytes() for each in folder.glob("*.*") if each.is_file()} == kept
    assert pachyderm.log() == before


def test_a_database_in_use_is_never_replaced(pachyderm: Command) -> None:
    """Where SQLite left a file beside the target, or the target is such a file, that is refused."""
    pachyderm.quick("send", "counter:@a", "increment").done()
    for name in ("other.db", "other.db-wal"):
        (pachyderm.folder / name).touch()
        assert pachyderm.quick("export", "-o", "other.db-wal", "--force").status == 2
    assert pachyderm.quick("export", "-o", "other.db", "--force").status == 2
    assert (pachyderm.folder / "other.db-wal").read_bytes() == b""


def test_what_cannot_be_written_leaves_nothing(pachyderm: Command) -> None:
    """A missing folder, or a full disk, is one error with status 7; of the file nothing is left."""
    rings = '{"to": "box:@b", "message": "put-in", "data": {"text": "%s"}}\n' % ("x" * 100_000)
    pachyderm.quick("send", "--file", "-", stdin=rings * 20).done()
    before = sorted(pachyderm.folder.iterdir())
    result = pachyderm.quick("export", "-o", "missing/all.jsonl", "--json")
    assert (result.status, result.error["code"]) == (7, "store_error")
    done = subprocess.run(
        ["/bin/bash", "-c", 'ulimit -f 200; "$@"', "bash", *pachyderm.line("export", "-o", "all.jsonl", "--json")],
        cwd=pachyderm.folder,
        env=pachyderm.environment({}),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 7, done.stderr
    assert "all.jsonl cannot be written" in done.stderr
    assert sorted(pachyderm.folder.iterdir()) == before


def test_a_reader_that_goes_away_ends_it_quietly(pachyderm: Command) -> None:
    """Piped into head it ends with 141, and tells nothing."""
    rings = '{"to": "box:@b", "message": "put-in", "data": {"text": "%s"}}\n' % ("x" * 100_000)
    pachyderm.quick("send", "--file", "-", stdin=rings * 20).done()
    process = pachyderm.start("export")
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline().startswith('{"pachyderm"')
    process.stdout.close()
    assert process.wait(timeout=SECONDS) == 141
    assert process.stderr.read() == ""
    process.stderr.close()


def test_a_store_that_is_not_there_is_told(pachyderm: Command) -> None:
    """Where there is no store, that is one error with status 7, and no file is made."""
    before = sorted(pachyderm.folder.iterdir())
    result = pachyderm.quick("export", "-o", "all.jsonl", "--json")
    assert (result.status, result.error["code"]) == (7, "store_error")
    assert sorted(pachyderm.folder.iterdir()) == before
