"""Help, version and completion: at once, without the libraries that take their time to load."""

import subprocess
import sys

import pytest

from pachyderm_cli import __version__
from pachyderm_cli.cli.catalogue import SUMMARIES
from tests.cli.running import ROOT, SECONDS, Command

COMMANDS: dict[str, tuple[str, ...]] = {
    "init": (),
    "send": (),
    "try": (),
    "query": (),
    "history": (),
    "follow": (),
    "inspect": (),
    "replay": (),
    "diff": (),
    "fork": (),
    "snapshot": (),
    "list": (),
    "networks": (),
    "describe": (),
    "check": (),
    "worker": (),
    "erase": (),
    "backup": (),
    "export": (),
    "import": (),
    "copy": (),
    "effects": ("list", "show", "retry", "discard"),
    "timers": ("list", "cancel"),
    "cursors": ("list", "set", "drop"),
    "store": ("migrate", "status", "verify", "scrub"),
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


IMPORTING = """
def handle(message: Ring | Look, state: State) -> list:
    return []
"""


def completing(command: Command, words: str) -> tuple[set[str], str]:
    """Return the modules that bash's completion of the last of `words` loaded, with what it offered."""
    count = str(len(words.split(" ")) - 1)
    return loaded(command, _PACHYDERM_COMPLETE="complete_bash", COMP_WORDS=words, COMP_CWORD=count)


@pytest.mark.parametrize("arguments", [("--version",), ("--help",), ()])
def test_help_and_version_load_no_heavy_library(pachyderm: Command, arguments: tuple[str, ...]) -> None:
    """Help and version come without SQLAlchemy, pydantic, rich or a database's driver."""
    modules, out = loaded(pachyderm, *arguments)
    assert modules & HEAVY == set()
    assert out.startswith(("pachyderm ", "Usage: pachyderm "))


@pytest.mark.parametrize("arguments", [(*path, "--help") for path in PATHS], ids=" ".join)
def test_a_commands_help_loads_no_heavy_library(pachyderm: Command, arguments: tuple[str, ...]) -> None:
    """So does a command's help, even without the pydantic with which Typer would read parameters."""
    modules, out = loaded(pachyderm, *arguments)
    assert modules & HEAVY == set()
    assert out.startswith("Usage: pachyderm ")


@pytest.mark.usefixtures("time_lab")
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("pachyderm ", "snapshot"),
        ("pachyderm sen", "send"),
        ("pachyderm send --", "--keep-going"),
        ("pachyderm --project . send --", "--keep-going"),
        ("pachyderm store m", "migrate"),
        ("pachyderm effects list --status pa", "parked"),
        ("pachyderm send co", "counter:"),
        ("pachyderm send box:", "box:new"),
        ("pachyderm describe n", "no_start"),
        ("pachyderm list --type c", "counter"),
        ("pachyderm send counter:@a ", "increment"),
        ("pachyderm send box:@b p", "put-in"),
        ("pachyderm try box:@b p", "put-in"),
        ("pachyderm fork co", "counter:"),
        ("pachyderm diff co", "counter:"),
        ("pachyderm diff counter:@a bo", "box:"),
        ("pachyderm query pu", "purse:"),
        ("pachyderm query purse:@a how", "how-much"),
        ("pachyderm replay --all --type c", "counter"),
        ("pachyderm --project . send box:@b p", "put-in"),
    ],
)
def test_completion_loads_no_heavy_library(pachyderm: Command, words: str, offered: str) -> None:
    """The shell's completion of commands, options, types and messages comes without any of them."""
    modules, out = completing(pachyderm, words)
    assert modules & HEAVY == set()
    assert offered in out.splitlines()


def test_only_a_protocol_that_its_text_does_not_tell_is_imported(pachyderm: Command) -> None:
    """To complete messages that come from another module, the entity is imported, and what it needs is loaded."""
    box = pachyderm.folder / "entities" / "box.py"
    box.rename(box.with_name("_box.py"))
    box.write_text("from ._box import Look, Ring, State, init, update\n\n\n" + IMPORTING, encoding="utf-8")
    modules, out = completing(pachyderm, "pachyderm send box:@b r")
    assert "pydantic" in modules
    assert out.splitlines() == ["ring"]
    assert modules & {"sqlalchemy", "alembic", "psycopg", "rich"} == set()


@pytest.mark.parametrize("arguments", [("history", "--json"), ("list",)])
def test_piped_output_is_made_without_rich(pachyderm: Command, arguments: tuple[str, ...]) -> None:
    """What colours a terminal is not loaded where there is none."""
    pachyderm.quick("send", "counter:@a", "increment").done()
    modules, _ = loaded(pachyderm, *arguments)
    assert "rich" not in modules


ON_A_FILE = [
    "send counter:@a increment",
    "send counter:@a increment --id 00000000-0000-4000-8000-000000000001",
    "send counter:new increment",
    "send --file lines.jsonl",
    "try counter:@a increment",
    "query purse:@a how-much",
    "history counter:@a",
    "inspect counter:@a",
    "replay counter:@a --to-version 1",
    "replay counter:@a --steps",
    "fork counter:@a --to counter:new",
    "snapshot counter:@a",
    "list",
    "describe counter",
    "follow --once",
    "worker --once",
    "effects list",
    "timers list counter:@a",
    "cursors list",
    "erase counter:@b --why asked --yes",
]


@pytest.mark.usefixtures("time_lab")
@pytest.mark.parametrize("line", ON_A_FILE)
def test_a_command_on_a_file_loads_no_sqlalchemy(pachyderm: Command, line: str) -> None:
    """What is used every day speaks to SQLite without it, also where it makes the file, or finds none."""
    (pachyderm.folder / "lines.jsonl").write_text('{"to": "counter:@a", "message": "Increment"}\n', encoding="utf-8")
    heavy = {"sqlalchemy", "alembic", "psycopg", "asyncio"}
    assert loaded(pachyderm, *line.split())[0] & heavy == set()
    for entity in ("counter:@a", "counter:@a", "counter:@b"):
        pachyderm.quick("send", entity, "increment").done()
    pachyderm.quick("send", "purse:@a", "put", "amount=1").done()
    pachyderm.quick(*line.split()).done()
    assert loaded(pachyderm, *line.split())[0] & heavy == set()


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


@pytest.mark.parametrize("name", SUMMARIES)
def test_the_help_says_of_a_command_what_its_own_says(pachyderm: Command, name: str) -> None:
    """The summary is the first sentence of the command's own help."""
    first = pachyderm.quick(name, "--help").done().out.split("\n\n")[1]
    assert " ".join(first.split()).startswith(SUMMARIES[name])
    assert SUMMARIES[name].endswith(".")


def test_the_help_of_all_loads_none_of_them(pachyderm: Command) -> None:
    """To list the commands takes none of their modules."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *pachyderm.line("--help")[1:]],
        cwd=pachyderm.folder,
        env=pachyderm.environment({}),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=True,
    )
    assert "pachyderm_cli.cli.app" in done.stderr
    assert "pachyderm_cli.cli.commands" not in done.stderr


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
