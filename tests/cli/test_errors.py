"""The table of errors in cli.md: each row and code through the real command, plain and as JSON."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pachyderm_cli import errors
from pachyderm_cli.cli.exit_codes import EXIT_CODES, exit_code
from tests.cli.running import Command, lines

ID = "0190f5fc-0000-7000-8000-000000000001"
OTHER_ID = "0190f5fc-0000-7000-8000-000000000002"
TWINS = ("abcd0000-0000-4000-8000-000000000001", "abcd0000-0000-4000-8000-000000000002")

# From cli.md, and written out here: the table is a promise to scripts.
STATUS = {
    "unexpected": 1,
    "entity_failed": 1,
    "usage": 2,
    "invalid_reference": 2,
    "unknown_entity_type": 2,
    "unknown_message": 2,
    "invalid_message": 2,
    "not_found": 3,
    "erased": 3,
    "ambiguous_reference": 3,
    "version_conflict": 4,
    "message_id_conflict": 4,
    "cursor_held": 4,
    "collision": 4,
    "output_error": 7,
    "rejected": 5,
    "config_error": 6,
    "entity_load_error": 6,
    "store_error": 7,
    "effect_failed": 8,
    "check_failed": 9,
    "interrupted": 130,
}


@dataclass(frozen=True)
class Case:
    """A command that fails, and what it must say of that."""

    code: str
    arguments: tuple[str, ...]
    says: tuple[str, ...] = ()
    """What the message must hold: what was wrong, and what to do."""
    details: tuple[str, ...] = ()
    """The keys that the JSON form must have beside code and message."""
    stdin: str = ""
    settings: dict[str, str] = field(default_factory=dict)
    prepare: Callable[[Path], object] = lambda _: None


def write(name: str, text: str) -> Callable[[Path], object]:
    """Return what writes a file into the project."""

    def prepare(project: Path) -> None:
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text(text, encoding="utf-8")

    return prepare


# Python runs it at the start of the command.
FAULTY_PACKAGE = """
import pachyderm_cli.config

def fail(*args, **kwargs):
    raise RuntimeError("boom")

pachyderm_cli.config.load_config = fail
"""

# One case for each code: through the real command, plain and with --json.
OF_EACH_CODE = {
    "entity_failed": Case(
        "entity_failed",
        ("send", "box:@b", "crash", "where=handle"),
        ("box", "handle(Crash)", "entities/box.py:", "ValueError: handle broke"),
        ("file", "line", "entity_type"),
    ),
    "usage": Case("usage", ("list", "--colour"), ("No such option: --colour", "pachyderm list --help")),
    "invalid_reference": Case(
        "invalid_reference", ("history", "box:xyz"), ("'box:xyz'", "TYPE:ID", "@name"), ("reference",)
    ),
    "unknown_entity_type": Case(
        "unknown_entity_type",
        ("send", "conter:new", "increment"),
        ("'conter'", "did you mean counter?", "There is: box, counter, no_start"),
        ("entity_type",),
    ),
    "unknown_message": Case(
        "unknown_message",
        ("send", "box:@b", "put-inn"),
        ("box takes no message 'put-inn'", "did you mean put-in?", "There is: crash, look, pause"),
        ("entity_type", "name"),
    ),
    "invalid_message": Case(
        "invalid_message",
        ("send", "box:@b", "weigh", "grams=heavy"),
        ("Weigh.grams", "'heavy'"),
        ("entity_type", "message_type"),
    ),
    "not_found": Case("not_found", ("inspect", "box:@nobody"), ("'box:@nobody'", "pachyderm list"), ("reference",)),
    "ambiguous_reference": Case(
        "ambiguous_reference", ("history", "abcd"), ("'abcd'", *TWINS, "write more digits"), ("candidates",)
    ),
    "version_conflict": Case(
        "version_conflict",
        ("send", "box:@b", "weigh", "grams=1", "--expect", "7"),
        ("is at version 1, not 7", "nothing was written"),
        ("entity", "version", "expected"),
    ),
    "message_id_conflict": Case(
        "message_id_conflict",
        ("send", "box:@b", "weigh", "grams=1", "--id", ID),
        (ID, "already used", "use a fresh id"),
        ("message_id",),
    ),
    "rejected": Case("rejected", ("send", "box:@b", "refuse", "reason=not today"), ("not today",)),
    "config_error": Case(
        "config_error",
        ("list",),
        ("pachyderm.toml", "there is no key entitys", "did you mean entities?"),
        ("file", "key"),
        prepare=write("pachyderm.toml", 'entitys = "x"'),
    ),
    "entity_load_error": Case(
        "entity_load_error",
        ("send", "broken:new", "go"),
        ("entities/broken.py:2: syntax error",),
        ("file", "line"),
        prepare=write("entities/broken.py", "x = 1\ndef f(:\n"),
    ),
    "store_error": Case(
        "store_error",
        ("--store", "sqlite:///pachyderm.toml", "list"),
        ("pachyderm.toml", "is not a SQLite database", "name another file"),
        ("store",),
    ),
    "unexpected": Case(
        "unexpected",
        ("list",),
        ("an unexpected failure in pachyderm: RuntimeError: boom", "PACHYDERM_DEBUG=1"),
        settings={"PYTHONPATH": "{site}:{project}/hooks"},
        prepare=write("hooks/sitecustomize.py", FAULTY_PACKAGE),
    ),
}

# Everything else, in this process; a process of their own would make no difference.
MORE = [
    Case(
        "entity_failed",
        ("send", "box:@b", "crash", "where=update"),
        ("update(Fell) at version 2", "entities/box.py:", "ZeroDivisionError: update broke"),
        ("file", "line"),
    ),
    Case("entity_failed", ("send", "box:@b", "crash", "where=late"), ("box.py:", "KeyError: 'late'")),
    Case(
        "entity_failed", ("send", "box:@b", "crash", "where=effect-alone"), ("effect Bell without any event", "box.py:")
    ),
    Case(
        "entity_failed",
        ("send", "box:@b", "crash", "where=nothing-iterable"),
        ("a str", "neither an event nor an effect", "box.py:"),
    ),
    Case("entity_failed", ("send", "box:@b", "crash", "where=state"), ("state", "box.py:")),
    Case(
        "entity_failed",
        ("send", "no_start:new", "begin"),
        ("init failed at", "entities/no_start.py:", "RuntimeError: init broke"),
    ),
    Case("entity_failed", ("send", "box:@b", "put-in", "real=nan"), ("Filled.real", "box.py:")),
    Case("usage", ("send", "box:@b"), ("pachyderm send REF MESSAGE",)),
    Case("usage", ("send",), ("pachyderm send REF MESSAGE",)),
    Case("usage", ("sent",), ("No such command 'sent'", "send", "pachyderm --help")),
    Case("usage", ("store", "migrated"), ("No such command 'migrated'", "pachyderm store --help")),
    Case("usage", ("send", "box:@b", "look", "--expect", "two"), ("--expect", "valid integer")),
    Case("usage", ("send", "box:@b", "look", "--expect", "-1"), ("--expect", "greater than or equal to 0")),
    Case("usage", ("send", "box:@b", "look", "--id", "42"), ("--id takes a UUID", "'42'")),
    Case("usage", ("send", "box:@b", "weigh", "--data", "@missing.json"), ("--data @missing.json", "No such file")),
    Case("usage", ("send", "box:@b", "weigh", "--data", "@."), ("--data @.", "directory")),
    Case("usage", ("send", "box:@b", "weigh", "grams=1", "--data", "{}"), ("as fields or whole, not both",)),
    Case("usage", ("send", "box:@b", "look", "--config", "novalue"), ("--config takes KEY=VALUE", "'novalue'")),
    Case("usage", ("send", "box:@b", "look", "--keep-going"), ("--keep-going goes with --file",)),
    Case("usage", ("send", "--file", "missing.jsonl"), ("--file missing.jsonl", "No such file")),
    Case("usage", ("send", "--file", "."), ("--file .", "directory")),
    Case("usage", ("send", "box:@b", "--file", "-"), ("--file brings references",)),
    Case("usage", ("send", "--file", "-", "--id", ID), ("--file brings references",)),
    Case("usage", ("send", "--file", "-", "--expect", "1"), ("--file brings references",)),
    Case("usage", ("replay", "box:@b", "--to-version", "1", "--at", "2026-01-01"), ("--to-version or --at, not both",)),
    Case("usage", ("replay", "box:@b", "--at", "yesterday"), ("'yesterday'", "2026-01-31")),
    Case("usage", ("replay", "box:@b", "--to-version", "-1"), ("--to-version", "greater than or equal to 0")),
    Case("usage", ("history", "box:@b", "--from", "0"), ("--from", "greater than or equal to 1")),
    Case("usage", ("history", "box:@b", "--limit", "-1"), ("--limit", "greater than or equal to 0")),
    Case("usage", ("history", "box:@b", "too", "many"), ("unexpected extra argument", "many")),
    Case("usage", ("snapshot", "box:@b", "--all"), ("a reference or --all, not both",)),
    Case("usage", ("snapshot", "--type", "box"), ("--type goes with --all",)),
    Case("usage", ("snapshot", "--all", "--list", "--drop"), ("--list or --drop, not both",)),
    Case("usage", ("list", "--type", "box:1"), ("'box:1' is not an entity type's name",)),
    Case("usage", ("list", "--type", "\udcff"), ("is not an entity type's name",)),
    Case("usage", ("worker", "--concurrency", "0"), ("--concurrency", "greater than or equal to 1")),
    Case("usage", ("worker", "now"), ("unexpected extra argument",)),
    Case("usage", ("history", "box:@b", "--causes", "--from", "1"), ("--causes", "leave out --from")),
    Case("usage", ("history", "box:@b", "--causes", "--to", "1"), ("--causes", "leave out --from")),
    Case("usage", ("history", "box:@b", "--causes", "--limit", "1"), ("--causes", "leave out --from")),
    Case("usage", ("history", "box:@b", "--causes", "--reverse"), ("--causes", "leave out --from")),
    Case("usage", ("effects", "lst"), ("No such command 'lst'", "pachyderm effects --help")),
    Case("usage", ("effects", "list", "--status", "park"), ("'park' is no status", "did you mean parked?")),
    Case("usage", ("effects", "list", "--status", "failed"), ("'failed' is no status", "there is: discarded, done")),
    Case("usage", ("effects", "list", "--limit", "-1"), ("--limit", "greater than or equal to 0")),
    Case("usage", ("effects", "retry"), ("give its id, or --all",)),
    Case("usage", ("effects", "retry", "abcd", "--all"), ("give its id, or --all",)),
    Case("usage", ("effects", "discard", "abcd"), ("Missing option '--why'",)),
    Case("usage", ("timers", "cancel", "box:@b"), ("pachyderm timers cancel box:@b NAME",)),
    Case("usage", ("init", "pachyderm.toml"), ("pachyderm.toml is not a folder",)),
    Case("unknown_entity_type", ("describe", "bix"), ("'bix'", "did you mean box?")),
    Case("unknown_entity_type", ("send", "box.inner:new", "look"), ("'box.inner'", "box, counter")),
    Case("unknown_entity_type", ("send", "Box:new", "look"), ("'Box'", "did you mean box?")),
    Case("unknown_message", ("send", "counter:new", "zzz"), ("counter takes no message 'zzz'", "there is: increment")),
    Case("unknown_message", ("send", "counter:new", ""), ("counter takes no message ''", "there is: increment")),
    Case("invalid_message", ("send", "box:@b", "weigh"), ("Weigh.grams: Field required",)),
    Case("invalid_message", ("send", "box:@b", "weigh", "gramms=1"), ("no field 'gramms'", "did you mean grams?")),
    Case("invalid_message", ("send", "box:@b", "weigh", "grams"), ("'grams' is not FIELD=VALUE",)),
    Case("invalid_message", ("send", "box:@b", "weigh", "=1"), ("'=1' is not FIELD=VALUE",)),
    Case("invalid_message", ("send", "box:@b", "weigh", "grams=1", "grams=2"), ("grams is given twice",)),
    Case("invalid_message", ("send", "box:@b", "weigh", "grams=0"), ("Weigh.grams", "greater than 0", "'0'")),
    Case("invalid_message", ("send", "box:@b", "put-in", "size=huge"), ("PutIn.size", "'small' or 'large'", "'huge'")),
    Case("invalid_message", ("send", "box:@b", "put-in", 'place={"floor": 1}'), ("PutIn.place",)),
    Case("invalid_message", ("send", "box:@b", "put-in", "tags=[1"), ("PutIn.tags",)),
    Case("invalid_message", ("send", "box:@b", "put-in", "day=tomorrow"), ("PutIn.day", "'tomorrow'")),
    Case("invalid_message", ("send", "box:@b", "weigh", "--data", "{grams: 1}"), ("Weigh", "Invalid JSON")),
    Case("invalid_message", ("send", "box:@b", "weigh", "--data", ""), ("Weigh", "Invalid JSON")),
    Case("invalid_message", ("send", "box:@b", "weigh", "--data", "[]"), ("Weigh", "object")),
    Case("invalid_message", ("send", "box:@b", "weigh", "--data", "null"), ("Weigh", "object")),
    Case("invalid_message", ("send", "box:@b", "weigh", "--data", '{"grams": "many"}'), ("Weigh.grams", "'many'")),
    Case(
        "invalid_message",
        ("send", "box:@b", "weigh", "--data", '{"grams": 1, "x": 2}'),
        ("Weigh.x: there is no such field", "there is: grams"),
    ),
    Case("invalid_message", ("send", "box:@b", "weigh", "--data", '{"grams": 1}{"grams": 2}'), ("Weigh", "trailing")),
    Case("invalid_message", ("send", "box:@b", "weigh", "--data", "[" * 100_000), ("Weigh", "JSON")),
    Case("invalid_message", ("send", "box:@b", "put-in", "--data", '{"text": "\\ud800"}'), ("JSON",)),
    Case("invalid_message", ("send", "box:@b", "put-in", "text=\udcff"), ("PutIn", "surrogates not allowed")),
    Case("not_found", ("history", ID.replace("1", "f")), ("pachyderm list",), ("reference", "network")),
    Case("not_found", ("send", "9999", "look"), ("'9999'", "pachyderm list")),
    Case("not_found", ("send", OTHER_ID, "look"), (OTHER_ID, "pachyderm list")),
    Case("not_found", ("replay", "box:@b", "--to-version", "9"), ("has no version 9", "0 to 1"), ("entity", "version")),
    Case("not_found", ("replay", "box:@b", "--to-version", "9", "--steps"), ("has no version 9", "0 to 1")),
    Case(
        "not_found",
        ("--network", "empty", "inspect"),
        ("network 'empty' has no entities yet", "send a message"),
        ("network",),
    ),
    Case("not_found", ("--network", "empty", "history", "box:@b"), ("network 'empty'",)),
    Case("not_found", ("effects", "show", ID), (ID, "pachyderm effects list"), ("effect", "network")),
    Case("not_found", ("effects", "retry", "abcd"), ("no effect 'abcd'", "pachyderm effects list")),
    Case("not_found", ("effects", "discard", "abcd", "--why", "x"), ("no effect 'abcd'",)),
    Case("not_found", ("timers", "cancel", "abcd"), ("no effect 'abcd'",)),
    Case("not_found", ("timers", "cancel", "box:@b", "t"), ("has no timer 't'; there is none",), ("entity", "timer")),
    Case("not_found", ("timers", "list", "box:@nobody"), ("'box:@nobody'", "pachyderm list")),
    Case("invalid_reference", ("effects", "show", "box:@b"), ("'box:@b' is no effect's id", "four hex digits")),
    Case("invalid_reference", ("effects", "show", "xyz"), ("'xyz' is no effect's id",)),
    *(
        Case("store_error", ("--store", "sqlite:///pachyderm.toml", *command), ("is not a SQLite database",))
        for command in (("worker",), ("worker", "--once"), ("effects", "list"), ("timers", "list"))
    ),
    Case("ambiguous_reference", ("send", "box:abcd0000-0000", "look"), TWINS),
    Case("version_conflict", ("send", "box:@b", "look", "--expect", "0"), ("is at version 1, not 0",)),
    Case("version_conflict", ("send", "box:@fresh", "look", "--expect", "1"), ("is at version 0, not 1",)),
    Case("version_conflict", ("send", "box:@b", "look", "--expect", "9" * 30), ("is at version 1",)),
    Case("message_id_conflict", ("send", "counter:new", "increment", "--id", ID), (ID, "already used")),
    Case("message_id_conflict", ("send", "box:@fresh", "weigh", "grams=5", "--id", ID), (ID, "already used")),
]


@pytest.fixture
def used(pachyderm: Command) -> Command:
    """Return the command on a store that holds a box `@b` at version 1, by message ID, and two boxes `abcd…`."""
    pachyderm.quick("send", "box:@b", "weigh", "grams=5", "--id", ID).done()
    for twin in TWINS:
        pachyderm.quick("send", f"box:{twin}", "weigh", "grams=1").done()
    return pachyderm


def every_error() -> Iterator[type[errors.PachydermError]]:
    """Yield every error class that the package defines, the root first."""
    classes = [errors.PachydermError]
    for cls in classes:
        classes += [each for each in cls.__subclasses__() if each.__module__.startswith("pachyderm_cli.")]
        yield cls


@pytest.mark.parametrize("cls", dict.fromkeys(every_error()), ids=lambda cls: cls.__name__)
def test_every_error_class_has_the_exit_status_of_the_table(cls: type[errors.PachydermError]) -> None:
    """Each error class has the status that cli.md gives its code, and those of `errors` have it by name."""
    error = cls("why")
    assert exit_code(error) == STATUS[cls.code]
    if cls.__module__ == errors.__name__:
        assert EXIT_CODES[cls] == STATUS[cls.code]


def test_every_code_of_the_table_is_an_errors(used: Command) -> None:
    """The codes of the error classes are those of cli.md, no more and no fewer."""
    assert {cls.code for cls in every_error()} == set(STATUS)


def test_every_code_is_provoked_here() -> None:
    """Each code has its case in this file, but for those that other files provoke."""
    provoked = {case.code for case in OF_EACH_CODE.values()}
    # by the tests of send, of interruptions, of check, erase and follow, of moving, and of output
    elsewhere = {"effect_failed", "interrupted", "check_failed", "erased", "cursor_held", "collision", "output_error"}
    assert set(STATUS) - provoked == elsewhere


@pytest.mark.parametrize("case", OF_EACH_CODE.values(), ids=OF_EACH_CODE.keys())
def test_the_real_command_fails_as_the_table_says(case: Case, used: Command) -> None:
    """Exit status, standard output and standard error are the table's, and nothing is written."""
    before = used.log()
    kept = (used.folder / "pachyderm.toml").read_text(encoding="utf-8")
    case.prepare(used.folder)
    settings = {name: value.format(site=used.site, project=used.folder) for name, value in case.settings.items()}
    plain = used(*case.arguments, stdin=case.stdin, **settings)
    as_json = used(*case.arguments, "--json", stdin=case.stdin, **settings)
    _require(case, plain.status, plain.out)
    _require(case, as_json.status, as_json.out)
    (line,) = lines(plain.err)
    assert line == f"error: {as_json.error['message']}"
    _require_told(case, as_json.error)
    (used.folder / "pachyderm.toml").write_text(kept, encoding="utf-8")
    assert used.log() == before


@pytest.mark.parametrize("case", MORE, ids=lambda case: f"{case.code}: {' '.join(case.arguments)[:60]!a}")
def test_a_failing_command_says_what_was_wrong_and_writes_nothing(case: Case, used: Command) -> None:
    """The command has its code's status, no result, a message of what and what to do, and writes nothing."""
    before = used.log()
    plain = used.quick(*case.arguments, stdin=case.stdin)
    as_json = used.quick(*case.arguments, "--json", stdin=case.stdin)
    _require(case, plain.status, plain.out)
    _require(case, as_json.status, as_json.out)
    assert plain.err == f"error: {as_json.error['message']}\n"
    _require_told(case, as_json.error)
    assert used.log() == before


def _require(case: Case, status: int, out: str) -> None:
    assert (status, out) == (STATUS[case.code], "")


def _require_told(case: Case, error: dict[str, object]) -> None:
    assert error["code"] == case.code
    assert list(error)[:2] == ["code", "message"]
    assert error.keys() >= set(case.details)
    message = str(error["message"])
    for text in case.says:
        assert text in message
    assert "Traceback" not in message
