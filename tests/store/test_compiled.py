"""What is compiled ahead: what Core says, so that a command on a file needs no SQLAlchemy."""

import json
import os
import re
import subprocess
import sys
import zipfile
from importlib import import_module
from pathlib import Path

import pytest

from pachyderm_cli.store import compiled as module
from pachyderm_cli.store.compiled import AHEAD, all_ahead, compiled_ahead, table_texts
from pachyderm_cli.store.records import EFFECT_COLUMNS
from pachyderm_cli.store.schema import outbox
from pachyderm_cli.store.statement import Statement, Statements
from pachyderm_cli.store.statements.outbox import COLUMNS

STORE = Path(module.__file__).parent
NAMES = sorted(json.loads(AHEAD.read_text(encoding="utf-8")).keys() - {"tables"})


def test_what_is_compiled_ahead_is_what_core_says() -> None:
    """The file is as `make statements` writes it, all that SQLite may be told and the tables."""
    assert json.loads(AHEAD.read_text(encoding="utf-8")) == json.loads(json.dumps(all_ahead()))


@pytest.mark.parametrize("name", NAMES)
def test_a_statement_is_said_to_both_databases(name: str) -> None:
    """What is compiled ahead for SQLite can be compiled for Postgres, and takes the same parameters there."""
    statement = Statement(name)
    sqlite, postgres = statement.for_dialect("sqlite"), statement.for_dialect("postgresql")
    own = {*sqlite.constants, *postgres.constants}
    assert {*(sqlite.order or ())} - own == {*re.findall(r"%\((\w+)\)s", postgres.text)} - own


def test_every_name_that_is_used_is_there() -> None:
    """What the store asks `Statements` for stands in the module that it names."""
    used = 0
    for file in STORE.glob("*.py"):
        text = file.read_text(encoding="utf-8")
        for holder, name in re.findall(r'(\w+) = Statements\("(\w+)"\)', text):
            there = vars(import_module(f"pachyderm_cli.store.statements.{name}"))
            asked = {*re.findall(rf"\b{holder}\.([A-Z_]+)\b", text), *re.findall(rf'\b{holder}\.one_of\("(\w+)"', text)}
            assert asked <= there.keys()
            used += len(asked)
        for name in re.findall(r'Statement\("(\w+\.\w+)"\)', text):
            assert name in NAMES
    assert used > 60


def test_a_name_of_no_statement_is_no_attribute() -> None:
    """Only what is spelt as a statement's name is taken for one."""
    with pytest.raises(AttributeError):
        _ = Statements("outbox").claim


def test_an_effect_is_read_from_columns_that_hold_what_they_are_said_to() -> None:
    """The columns' kinds are those of the table, where a nullable one may hold nothing."""
    assert [each.name for each in COLUMNS] == list(EFFECT_COLUMNS)
    assert outbox.c.keys() - EFFECT_COLUMNS.keys() == {"network", "lease", "fingerprint"}
    for column in COLUMNS:
        kind = column.type.python_type
        assert EFFECT_COLUMNS[column.name] == ((kind, type(None)) if column.nullable else kind)


def test_tables_are_made_alike_by_both_ways() -> None:
    """A file's tables are those that Core makes, whether compiled ahead or not."""
    assert list(table_texts("sqlite")) == module._table_texts("sqlite")
    assert sum("CREATE TABLE" in each for each in table_texts("postgresql")) == sum(
        "CREATE TABLE" in each for each in table_texts("sqlite")
    )


@pytest.mark.parametrize("content", [None, "{", "[]"])
def test_without_the_file_core_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None) -> None:
    """Where the package is not whole a store works as ever; only its start takes longer."""
    if content is not None:
        (tmp_path / "compiled.json").write_text(content, encoding="utf-8")
    monkeypatch.setattr(module, "AHEAD", tmp_path / "compiled.json")
    module._ahead.cache_clear()
    try:
        assert compiled_ahead("append.CREATE", "sqlite") is None
        assert "INSERT" in Statement("append.CREATE").for_dialect("sqlite").text
        assert any("CREATE TABLE" in each for each in table_texts("sqlite"))
    finally:
        module._ahead.cache_clear()


def test_it_is_read_from_an_archive(tmp_path: Path) -> None:
    """The package may be in a zip file, as Python lets it be."""
    archive = tmp_path / "package.zip"
    with zipfile.ZipFile(archive, "w") as written:
        for file in STORE.parent.rglob("*"):
            if file.is_file() and "__pycache__" not in file.parts:
                written.write(file, Path("pachyderm_cli") / file.relative_to(STORE.parent))
    program = "from pachyderm_cli.store import compiled; print(compiled.__file__, len(compiled._ahead()))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(archive)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [f"{archive}/pachyderm_cli/store/compiled.py", str(len(NAMES) + 1)]
