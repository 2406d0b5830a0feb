"""No reference and no type's name reaches the file system outside of the folder of entities."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from typer.testing import CliRunner

from pachyderm_cli import Pachyderm, PachydermError
from pachyderm_cli.cli.app import app
from pachyderm_cli.engine.loader import FolderEntityTypes
from tests.cli.running import ROOT, Command

_PYTHONS = (sys.prefix, sys.base_prefix, str(ROOT / "pachyderm_cli"), "/proc", os.devnull)
_ALLOWED = tuple(os.path.realpath(each) for each in _PYTHONS)
_watched: list[list[str]] = []


def _hear(event: str, arguments: tuple[object, ...]) -> None:
    """Note which files and folders are opened; an audit hook is there for good, so it does nothing unless asked to."""
    if (
        _watched
        and event in ("open", "os.scandir", "os.listdir")
        and isinstance(arguments[0], str | bytes | os.PathLike)
    ):
        _watched[-1].append(os.fsdecode(arguments[0]))


sys.addaudithook(_hear)


@contextmanager
def opened() -> Iterator[list[str]]:
    """Give the files and folders that are opened within."""
    _watched.append([])
    try:
        yield _watched[-1]
    finally:
        _watched.pop()


def outside(paths: list[str], folder: Path) -> list[str]:
    """Return those of the paths that are neither in the folder nor Python's or pachyderm's own."""
    found = []
    for path in paths:
        real = os.path.realpath(path)
        inside = real == str(folder) or real.startswith(f"{folder}{os.sep}")
        if not inside and not real.startswith(_ALLOWED):
            found.append(path)
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of entities, beside which there are modules that are not to be read."""
    home = tmp_path_factory.mktemp("names").resolve()
    source = ROOT / "pachyderm_cli/cli/template/entities/counter.py"
    canary = f"raise SystemExit('the canary was run')\n{source.read_text(encoding='utf-8')}"
    for name in ("canary.py", "entities_too/canary.py", "entities.py", "os.py", ".canary.py"):
        (home / name).parent.mkdir(exist_ok=True)
        (home / name).write_text(canary, encoding="utf-8")
    inner = home / "project" / "entities"
    (inner / "billing").mkdir(parents=True)
    for name in ("counter.py", "billing/invoice.py", "os.py"):
        shutil.copy(source, inner / name)
    for name in ("__init__.py", "__main__.py", "_hidden.py", ".dotted.py", "billing/__init__.py"):
        (inner / name).write_text("", encoding="utf-8")
    (inner / "linked").symlink_to(home / "entities_too")
    (home / "project" / "canary.py").write_text(canary, encoding="utf-8")
    (home / "project" / "pachyderm.toml").touch()
    return inner


KNOWN = ["billing.invoice", "counter", "os"]

_PIECES = st.sampled_from(
    [
        *("..", ".", "/", "\\", "\0", "~", "%2e%2e", "\uff0e", " ", ":", "py", ".py"),
        *("canary", "entities", "entities_too", "project", "os", "sys", "pachyderm_cli", "cli"),
        *("__init__", "__main__", "_hidden", "counter", "billing", "invoice", "linked"),
    ]
)
NAMES = st.text(max_size=20) | st.lists(_PIECES, max_size=6).map("".join) | st.lists(_PIECES, max_size=6).map(".".join)


@given(name=NAMES)
@example(name="..canary")
@example(name="../canary")
@example(name="linked.canary")
@example(name="Counter")
@example(name="counter\n")
@example(name="counter.py")
@example(name="sys")
@example(name="pachyderm_cli.cli.app")
def test_only_a_module_in_the_folder_is_read(folder: Path, name: str) -> None:
    """Whatever a type is called, what is opened is in the folder, and only what stands in its listing is imported."""
    types = FolderEntityTypes(folder)
    with opened() as paths:
        try:
            types.get(name)
        except PachydermError:
            assert name not in KNOWN
        else:
            assert name in KNOWN
    types.close()
    assert outside(paths, folder) == []


@given(name=NAMES, identifier=st.sampled_from(["new", "@x", "@../x", "@/etc/passwd", "aaaa", ""]) | NAMES)
@example(name="../canary", identifier="new")
def test_no_reference_reads_another_file(folder: Path, name: str, identifier: str) -> None:
    """Nor does a reference, of a send or of a look at what is there."""
    with Pachyderm(f"sqlite:///{folder.parent / 'store.db'}", FolderEntityTypes(folder)) as engine, opened() as paths:
        for work in (engine.state, lambda text: engine.try_send(engine.request(text, "increment"))):
            with suppress(PachydermError):
                work(f"{name}:{identifier}")
    assert outside(paths, folder.parent) == []
    assert [path for path in paths if Path(path).name.startswith(("canary", ".canary"))] == []


def test_the_watch_sees_what_is_opened(folder: Path) -> None:
    """What the tests above would find is found: a module outside that is read."""
    with opened() as paths:
        (folder.parent / "canary.py").read_bytes()
        FolderEntityTypes(folder).get("counter")
    assert outside(paths, folder) == [str(folder.parent / "canary.py")]


@pytest.mark.parametrize("name", ["..canary", "../canary", "linked.canary", "/etc/passwd", "_hidden", "sys"])
def test_completion_reads_no_other_file(folder: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the shell offers for a reference comes from the folder, too."""
    monkeypatch.chdir(folder.parent)
    environment = {
        "_PACHYDERM_COMPLETE": "complete_bash",
        "COMP_WORDS": f"pachyderm send {name}:new ",
        "COMP_CWORD": "3",
    }
    with opened() as paths:
        result = CliRunner().invoke(app, [], prog_name="pachyderm", env=environment)
    assert result.stdout.split() == []
    assert outside(paths, folder.parent) == []
    assert [path for path in paths if "canary" in path] == []


def test_a_type_that_a_store_or_an_export_names_is_held_against_the_listing(pachyderm: Command) -> None:
    """An entity's type that somebody else wrote into the store is no way to another file, either."""
    pachyderm.quick("send", "counter:@a", "increment").done()
    pachyderm.quick("export", "-o", "all.jsonl").done()
    (pachyderm.folder / "canary.py").write_text("open('run', 'w')\n", encoding="utf-8")
    text = (pachyderm.folder / "all.jsonl").read_text(encoding="utf-8")
    for name in ("../canary", "..canary", "canary"):
        changed = text.replace('"counter"', f'"{name}"')
        assert changed != text
        (pachyderm.folder / "changed.jsonl").write_text(changed, encoding="utf-8")
        store = ("--store", f"sqlite:///{len(name)}.db")
        pachyderm.quick(*store, "import", "changed.jsonl")
        for command in (("inspect",), ("replay",), ("replay", "--all"), ("worker", "--once"), ("store", "verify")):
            assert pachyderm.quick(*store, *command).status != 1
    assert not (pachyderm.folder / "run").exists()
