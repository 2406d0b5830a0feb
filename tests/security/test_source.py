"""What pachyderm's own source does not do: no pickle, no eval, no SQL that is put together from values."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import pachyderm_cli

ROOT = Path(pachyderm_cli.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))

FORBIDDEN_MODULES = {"pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "copyreg", "yaml", "code", "pty"}
PICKLING = {"multiprocessing", "concurrent.futures.process"}  # what goes from process to process by these is pickled
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__", "ProcessPoolExecutor"}
FORBIDDEN_METHODS = {"system", "popen", "execv", "execve", "spawnv", "literal_binds", "executescript", "mktemp"}

RUNS_CODE = {
    "store/compiled.py": "the package's own modules of statements",
    "__init__.py": "the package's own modules, when a name of its public face is first asked for",
    "cli/catalogue.py": "the package's own modules of commands; the name is looked up in a fixed list first",
    "engine/imports.py": "the project's entity modules, which are trusted; the name stands in the folder's listing",
    "domain/fingerprint.py": "modules that the project's own modules import themselves",
    "checks/source.py": "modules that the checked module imports itself",
    "checks/elsewhere.py": "the module that is checked, again in another process",
}
"""Where modules are imported by a name that is computed."""

STARTS_PROCESSES = {
    "cli/executing.py": "the command that the user gives to follow --exec",
    "checks/elsewhere.py": "this package, with fixed arguments",
    "engine/replay_jobs.py": "this package, with fixed arguments",
}

SQL_METHODS = {"execute", "executemany", "exec_driver_sql", "run", "told", "text", "literal_column"}
"""What takes SQL as text: the drivers' methods, SQLAlchemy's, and those of `Transaction`."""

COMPUTED_SQL = {
    ("store/connection.py", "statement"): "what makes Core's own tables and indexes, compiled",
    ("store/creation.py", "text"): "what makes Core's own tables and indexes, compiled",
    ("store/creation.py", "f: _CREATION_LOCK"): "a constant number",
    ("store/cursors.py", "advanced"): "a Core statement, run by SQLAlchemy for a caller of SQLAlchemy's",
    ("store/cursors.py", "compiled.text"): "a compiled Core statement",
    ("store/statements/cursors.py", "f: NOW"): "a constant",
    ("store/statements/erasing.py", "f: ERASED"): "a constant",
    ("store/erasing.py", "f: patience"): "a whole number, as SQLite itself told it",
    ("store/existing.py", "'BEGIN' if store.is_sqlite else 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY'"): "two "
    "constants",
    ("store/statements/heads.py", "f: ERASED"): "a constant",
    ("store/wholeness.py", "f: ERASED"): "a constant",
    ("store/statements/outbox.py", "str(Due.NOW.value)"): "a constant number",
    ("store/statements/outbox.py", "str(Due.HELD.value)"): "a constant number",
    ("store/statements/outbox.py", "str(Due.NOT_YET.value)"): "a constant number",
    ("store/statements/outbox.py", "f: status.value"): "a constant of an enumeration",
    ("store/statements/outbox_terms.py", "f: each.value"): "a constant of an enumeration",
    ("store/statements/outbox_terms.py", "f: NOW"): "a constant",
    ("store/migrations/versions/0005_outbox_indexes.py", "condition"): "constants of the migration",
    ("store/shape.py", "f: _SEQUENCE"): "a constant",
    ("store/shape.py", "f: _OF_POSTGRES"): "a constant",
    ("store/statement.py", "text"): "a compiled Core statement",
    ("store/statement.py", "*self._prepared(*each)"): "a compiled Core statement",
    ("store/statement.py", "*self._prepared(statement, parameters)"): "a compiled Core statement",
    ("store/statement.py", "*self._prepared_many(statement, each)"): "a compiled Core statement",
    ("store/statement.py", "'; '.join(commands)"): "constants",
    ("store/statement.py", "sql"): "what is given to `run` and `told`, which are looked at themselves",
    ("store/statement.py", "f: _BRIEFLY"): "a constant number",
    ("store/statement.py", "f: self._patience"): "a whole number, as SQLite itself told it",
    ("store/status.py", "f: name"): "constants",
    ("store/told.py", "f: command"): "constants",
    ("store/told.py", "_TABLE"): "of constants",
    ("store/told.py", "_ALL"): "of constants",
    ("store/told.py", "_FIND"): "of constants",
    ("store/told.py", "_KEEP"): "of constants",
}
"""SQL that is no plain literal (`f:`, what is put into one), with the reason why no value gets into it."""

SQL_FUNCTIONS = {
    "store/statements/expressions.py": "clauses, of what Core's compiler made of their parts",
    "store/statements/append.py": "a constant",
}
"""Where text becomes a part of a Core statement while that is compiled."""


def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _named(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("file", FILES, ids=_named)
def test_nothing_is_unpickled_or_evaluated(file: Path) -> None:
    """No module imports what unpickles, or calls what evaluates text; none sends Python objects to another process."""
    tree = _tree(file)
    imported = list(_imported(tree))
    tops = {name.partition(".")[0] for name in imported}
    assert not tops & FORBIDDEN_MODULES
    assert not (tops | set(imported)) & PICKLING
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = _called(node)
            builtin = isinstance(node.func, ast.Name) and name in FORBIDDEN_CALLS
            assert not builtin, f"line {node.lineno}: {name}"
            assert name not in FORBIDDEN_METHODS, f"line {node.lineno}: {name}"
            assert name != "import_module" or _named(file) in RUNS_CODE, f"line {node.lineno}"
            assert name != "__import__" or _named(file) in RUNS_CODE, f"line {node.lineno}"
    assert "subprocess" not in tops or _named(file) in STARTS_PROCESSES


def _computed_sql(file: Path) -> Iterator[str]:
    """Yield what a file gives to the drivers as SQL that is no literal, as it is written."""
    tree = _tree(file)
    functions = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or _called(node) not in SQL_METHODS or not node.args:
            continue
        argument = node.args[0]
        is_function = isinstance(argument, ast.Lambda) or (isinstance(argument, ast.Name) and argument.id in functions)
        if isinstance(argument, ast.Constant) or is_function:  # the latter are what `Store.run` runs
            continue
        if isinstance(argument, ast.JoinedStr):
            parts = [ast.unparse(each.value) for each in argument.values if isinstance(each, ast.FormattedValue)]
            yield f"f: {', '.join(parts)}"
        else:
            yield ast.unparse(argument)


def test_all_sql_is_a_literal_or_has_its_reason() -> None:
    """Each place where SQL is text that is put together is known here, with why no value can be in it, and is there."""
    found = {
        (_named(file), written)
        for file in FILES
        if _named(file).startswith("store/")
        for written in _computed_sql(file)
    }
    assert found == set(COMPUTED_SQL)


def test_sql_is_in_the_store_alone() -> None:
    """Nothing outside of the store has a driver or SQLAlchemy to give a statement to; a check's own words aside."""
    for file in FILES:
        tops = {name.partition(".")[0] for name in _imported(_tree(file))}
        outside = not _named(file).startswith("store/")
        assert not (outside and tops & {"sqlite3", "psycopg", "sqlalchemy", "alembic"}), file


def test_what_becomes_a_part_of_a_statement_is_in_few_places() -> None:
    """Only there does Core's compiler run functions of pachyderm's."""
    compiling = {_named(file) for file in FILES if "sqlalchemy.ext.compiler" in set(_imported(_tree(file)))}
    assert compiling == set(SQL_FUNCTIONS)


def test_the_lists_above_name_what_is_there() -> None:
    """An exception that is no longer needed goes."""
    text = {_named(file): file.read_text(encoding="utf-8") for file in FILES}
    assert [name for name in RUNS_CODE if "import_module" not in text[name]] == []
    assert [name for name in STARTS_PROCESSES if "import subprocess" not in text[name]] == []
