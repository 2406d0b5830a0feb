"""`pachyderm backup`: the result, the errors, and that a copy is a store like any other."""

import subprocess
from pathlib import Path

import pytest

from tests.cli.running import SECONDS, Command

KEYS = ["store", "file", "bytes", "events", "entities", "schema"]


def test_a_copy_answers_as_the_store_does(pachyderm: Command) -> None:
    """What the store says of its entities, the copy says too; the result names it, and what is in it."""
    pachyderm.quick("send", "counter:@a", "increment").done()
    pachyderm.quick("send", "counter:@b", "increment").done()
    copied = pachyderm.quick("backup", "copy.db", "--json").done().document
    file = pachyderm.folder / "copy.db"
    assert list(copied) == KEYS
    assert copied["store"] == f"sqlite:///{pachyderm.folder}/pachyderm.db"
    assert (copied["file"], copied["bytes"]) == (str(file), file.stat().st_size)
    assert (copied["events"], copied["entities"]) == (2, 2)
    assert pachyderm.store(f"sqlite:///{file}").log() == pachyderm.log()


def test_people_are_told_what_was_copied(pachyderm: Command) -> None:
    """Without --json one line names the file and how much is in it; a terminal sees the progress before."""
    pachyderm.quick("send", "counter:@a", "increment").done()
    told = pachyderm.quick("backup", "copy.db").done().out
    assert told.startswith(f"{pachyderm.folder}/copy.db: 1 event of 1 entity, schema ")
    shown = " ".join(pachyderm.on_terminal("backup", "other.db").split())  # wherever its lines are broken
    assert shown.index("copying") < shown.index("1 event of 1 entity")


def test_a_file_that_is_there_is_kept_without_force(pachyderm: Command) -> None:
    """A file of that name is a usage error that names --force."""
    pachyderm.quick("send", "counter:@a", "increment").done()
    (pachyderm.folder / "copy.db").write_text("kept")
    result = pachyderm.quick("backup", "copy.db", "--json")
    assert (result.status, result.error["code"]) == (2, "usage")
    assert "--force" in result.error["message"]
    assert (pachyderm.folder / "copy.db").read_text() == "kept"
    assert pachyderm.quick("backup", "copy.db", "--force", "--json").done().document["events"] == 1
    assert pachyderm.quick("backup", "pachyderm.db", "--force").status == 2


def test_no_store_of_the_project_is_replaced(pachyderm: Command) -> None:
    """A store that pachyderm.toml gives to another network is no place for the copy, whatever --force says."""
    pachyderm.quick("send", "counter:@a", "increment").done()
    project = pachyderm.folder / "pachyderm.toml"
    project.write_text(project.read_text() + '\n[networks.shop]\nurl = "sqlite:///own.db"\n')
    pachyderm.quick("--network", "shop", "send", "counter:@b", "increment").done()
    result = pachyderm.quick("backup", "own.db", "--force", "--json")
    assert (result.status, result.error["code"], "own.db" in result.error["message"]) == (2, "usage", True)
    assert pachyderm.quick("--network", "shop", "backup", "pachyderm.db", "--force").status == 2
    assert [len(pachyderm.quick("--network", each, "list").done().out.split("\n")) for each in ("default", "shop")] == [
        2,
        2,
    ]


@pytest.mark.parametrize("place", ["missing/copy.db", "pachyderm.toml/copy.db", "/proc/copy.db"])
def test_a_place_that_cannot_hold_the_copy_is_told(pachyderm: Command, place: str) -> None:
    """A missing folder, or one where no file can be made, is one error with status 7."""
    pachyderm.quick("send", "counter:@a", "increment").done()
    result = pachyderm.quick("backup", place, "--json")
    assert (result.status, result.out, result.error["code"]) == (7, "", "store_error")
    assert place in result.error["message"]


def test_a_store_that_is_not_there_is_told(pachyderm: Command) -> None:
    """Where there is no store, that is one error with status 7, and no file is made."""
    before = sorted(pachyderm.folder.iterdir())
    result = pachyderm.quick("backup", "copy.db", "--json")
    assert (result.status, result.error["code"]) == (7, "store_error")
    assert sorted(pachyderm.folder.iterdir()) == before


def test_a_full_disk_leaves_nothing(pachyderm: Command) -> None:
    """A copy that outgrows what may be written is one error with status 7, and no part of it is left."""
    rings = '{"to": "box:@b", "message": "put-in", "data": {"text": "%s"}}\n' % ("x" * 100_000)
    pachyderm.quick("send", "--file", "-", stdin=rings * 20).done()
    before = {each.name for each in pachyderm.folder.iterdir()}
    done = subprocess.run(
        ["/bin/bash", "-c", 'ulimit -f 200; "$@"', "bash", *pachyderm.line("backup", "copy.db", "--json")],
        cwd=pachyderm.folder,
        env=pachyderm.environment({}),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 7, done.stderr
    assert "copy.db cannot be written" in done.stderr
    assert {Path(each).name for each in pachyderm.folder.iterdir()} == before


@pytest.mark.postgres
def test_postgres_is_left_to_its_own_program(pachyderm: Command, postgres_url: str) -> None:
    """For a store on Postgres a usage error says which command copies it, and which brings the copy back."""
    result = pachyderm.store(postgres_url).quick("backup", "copy.dump", "--json")
    assert (result.status, result.error["code"]) == (2, "usage")
    assert result.error["dump"].startswith("pg_dump --format=custom --table='pachyderm_*' --file=")
    assert result.error["dump"] in result.error["message"]
    assert result.error["restore"] in result.error["message"]
