"""Help, version and completion: at once, without the libraries that take their time to load."""

import subprocess
import sys

import pytest

from pachyderm_cli import __version__
from tests.cli.running import ROOT, SECONDS, Command

COMMANDS: dict[str, tuple[str, ...]] = {
    "init": (),
    "send": (),
    "history": (),
    "inspect": (),
    "replay": (),
    "snapshot": (),
    "list": (),
    "describe": (),
    "store": ("migrate",),
}
HEAVY = {"sqlalchemy", "alembic", "pydantic", "rich", "psycopg", "jsonpatch", "asyncio"}
# Where there are commands below one, those, and otherwise the command itself.
PATHS: list[tuple[str, ...]] = []
for _name, _below in COMMANDS.items():
    PATHS += [(_name, each) for each in _below] or [(_name,)]


def loaded(command: Command, *arguments: str, **settings: str) -> tuple[set[str], str]:
    """Run the command, and return the top-level modules that it loaded, with its standard output."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *command.line(*arguments)[1:]],
        cwd=command.folder,
        env=command.environment(settings),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    imports = [line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")]
    assert "typer" in imports
    return {name.partition(".")[0] for name in imports}, done.stdout


@pytest.mark.parametrize("arguments", [("--version",), ("--help",), ()])
def test_help_and_version_load_no_heavy_library(pachyderm: Command, arguments: tuple[str, ...]) -> None:
    """Help and version come without SQLAlchemy, pydantic, rich or a database's driver."""
    modules, out = loaded(pachyderm, *arguments)
    assert modules & HEAVY == set()
    assert out.startswith(("pachyderm ", "Usage: pachyderm "))


@pytest.mark.parametrize("arguments", [("send", "--help"), ("replay", "-h"), ("store", "migrate", "--help")])
def test_a_commands_help_loads_no_heavy_library(pachyderm: Command, arguments: tuple[str, ...]) -> None:
    """So does a command's help, but for pydantic, with which Typer itself reads parameters."""
    modules, out = loaded(pachyderm, *arguments)
    assert modules & HEAVY <= {"pydantic"}
    assert out.startswith("Usage: pachyderm ")


@pytest.mark.parametrize("words", ["pachyderm ", "pachyderm sen", "pachyderm send --"])
def test_completing_a_command_or_an_option_loads_no_heavy_library(pachyderm: Command, words: str) -> None:
    """The shell's completion of commands and options comes without them too, but for Typer's pydantic."""
    count = str(len(words.split(" ")) - 1)
    settings = {"_PACHYDERM_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": count}
    modules, out = loaded(pachyderm, **settings)
    assert modules & HEAVY <= {"pydantic"}
    assert out


@pytest.mark.parametrize("arguments", [("history", "--json"), ("list",)])
def test_piped_output_is_made_without_rich(pachyderm: Command, arguments: tuple[str, ...]) -> None:
    """What colours a terminal is not loaded where there is none."""
    pachyderm.quick("send", "counter:@a", "increment").done()
    modules, _ = loaded(pachyderm, *arguments)
    assert "rich" not in modules


def test_the_version_is_the_packages(pachyderm: Command) -> None:
    """--version prints name and version."""
    assert pachyderm("--version").done().out == f"pachyderm {__version__}\n"


def test_the_command_alone_shows_the_help(pachyderm: Command) -> None:
    """`pachyderm` with nothing after it prints what --help prints."""
    assert pachyderm() == pachyderm("--help").done()


def test_the_help_names_every_command(pachyderm: Command) -> None:
    """--help lists the commands that there are, those of this file, and says how to start."""
    text = pachyderm.quick("--help").done().out
    listed = text.partition("Commands:\n")[2].partition("\n\n")[0].splitlines()
    assert [line.split()[0] for line in listed if line[2] != " "] == list(COMMANDS)
    assert "pachyderm init demo" in text


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_every_command_has_help_with_an_example(pachyderm: Command, path: tuple[str, ...]) -> None:
    """Each command's --help and -h say what it does, and how it is called in an example."""
    text = pachyderm.quick(*path, "--help").done().out
    assert text.startswith(f"Usage: pachyderm {' '.join(path)} ")
    assert f"Example: pachyderm {' '.join(path)}" in " ".join(text.split())
    assert pachyderm.quick(*path, "-h").out == text


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_every_command_is_documented(path: tuple[str, ...]) -> None:
    """docs/commands.md has each command by its name."""
    pages = (ROOT / "docs/commands.md").read_text(encoding="utf-8")
    assert f"pachyderm {' '.join(path)}" in pages
