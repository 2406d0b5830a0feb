"""A project on disk: its folder, its file as TOML, the names of its entity modules. For the rest see test_config.py."""

import subprocess
import sys
from pathlib import Path

import pytest

from pachyderm_cli.errors import ConfigError
from pachyderm_cli.project import entity_file, entity_names, find_project, here, read_toml

ROOT = Path(__file__).resolve().parents[1]


def write(folder: Path, *files: str) -> Path:
    """Write empty files into the folder, and return it."""
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def test_a_project_that_is_not_required_may_be_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no project there is None, or, where one is required, an error that says what to run."""
    monkeypatch.chdir(tmp_path)
    assert find_project(None, required=False) is None
    with pytest.raises(ConfigError, match="run pachyderm init"):
        find_project(None, required=True)


def test_one_that_is_named_has_to_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that was named and holds no project is an error, required or not, and none above it is taken."""
    monkeypatch.chdir(write(tmp_path, "pachyderm.toml", "inner/file"))
    for required in (True, False):
        for named in ("inner", tmp_path / "inner", "nowhere", "inner/file"):
            with pytest.raises(ConfigError, match=r"is no project: it has no pachyderm\.toml"):
                find_project(named, required=required)
        with pytest.raises(ConfigError, match="empty name"):
            find_project("", required=required)


@pytest.mark.parametrize("named", [".", "../project", "~/project", "../link", "a/.."])
def test_a_name_is_resolved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str) -> None:
    """A name may be relative, lead through links, or begin at the user's home; the folder is always the whole path."""
    project = write(tmp_path / "project", "pachyderm.toml", "a/file")
    (tmp_path / "link").symlink_to(project)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(project)
    assert find_project(named, required=True) == project


def test_a_folder_called_as_the_file_is_no_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a file makes a project; a folder of that name is passed by on the way upwards."""
    write(tmp_path, "pachyderm.toml", "inner/pachyderm.toml/file")
    monkeypatch.chdir(tmp_path / "inner")
    assert find_project(None, required=True) == tmp_path


def test_a_folder_that_is_gone_is_no_project(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the current folder was removed there is no project, and where one is required, that is told."""

    def gone() -> Path:
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(Path, "cwd", gone)
    assert find_project(None, required=False) is None
    with pytest.raises(ConfigError, match="current folder cannot be used"):
        find_project(None, required=True)
    with pytest.raises(ConfigError, match=r"No such file or directory"):
        here()


def test_the_file_is_read_as_it_is(tmp_path: Path) -> None:
    """Reading checks the form alone: keys and values are the file's, known or not."""
    file = tmp_path / "pachyderm.toml"
    file.write_text('entities = 3\n[unknown]\nüber = "größer"\n'.replace("über", '"über"'), encoding="utf-8")
    assert read_toml(file) == {"entities": 3, "unknown": {"über": "größer"}}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"a = ", "is not TOML"),
        (b"a = " + b"[" * 100_000, "is not TOML"),
        (b"a = '\xff'", "cannot be read"),
        (None, "cannot be read"),
    ],
    ids=["unfinished", "too deep", "no text", "missing"],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None, says: str) -> None:
    """Whatever keeps the file from being read, the error names it, and has it among its details."""
    file = tmp_path / "pachyderm.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match=says) as caught:
        read_toml(file)
    assert caught.value.details["file"] == str(file)
    assert str(file) in caught.value.message


def test_entities_are_the_modules_with_public_names(tmp_path: Path) -> None:
    """Modules at any depth are named with dots and sorted; private, unnameable and other files are none."""
    folder = write(
        tmp_path / "entities",
        "counter.py",
        "account.py",
        "billing/invoice.py",
        "billing/deep/er.py",
        "_money.py",
        "__init__.py",
        "billing/__init__.py",
        "_private/hidden.py",
        "two-words.py",
        "1st.py",
        "größe.py",
        "dotted.name.py",
        "dotted.folder/inner.py",
        "with-hyphen/inner.py",
        "notes.txt",
        "counter.pyc",
    )
    names = entity_names(folder)
    assert names == ["account", "billing.deep.er", "billing.invoice", "counter"]
    assert all(entity_file(folder, name).is_file() for name in names)


def test_without_a_folder_there_are_no_entities(tmp_path: Path) -> None:
    """A folder that is missing or empty has none."""
    assert entity_names(tmp_path) == []
    assert entity_names(tmp_path / "nowhere") == []


def test_a_modules_file_lies_in_the_folders_of_its_name(tmp_path: Path) -> None:
    """Dots of a name are folders."""
    assert entity_file(tmp_path, "counter") == tmp_path / "counter.py"
    assert entity_file(tmp_path, "billing.invoice") == tmp_path / "billing" / "invoice.py"


def test_reading_a_project_loads_next_to_nothing() -> None:
    """The module is for the shell's completion: it comes without pydantic, SQLAlchemy or Typer."""
    program = "import sys, pachyderm_cli.project; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert {"pydantic", "sqlalchemy", "typer"} & set(done.stdout.split()) == set()


def test_a_folder_that_cannot_be_looked_at_is_told(tmp_path: Path) -> None:
    """Where the system refuses even to look, that is an error that names the file, as it is without the rights."""
    with pytest.raises(ConfigError, match="cannot be looked at"):
        find_project(tmp_path / ("x" * 5000), required=True)
