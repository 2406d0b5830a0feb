"""What is written in Core, as text for one driver; ahead of time for SQLite, so that a file needs no SQLAlchemy."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib import import_module
from operator import itemgetter
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Dialect

AHEAD = Path(__file__).parent / "statements" / "compiled.json"
"""What SQLite is told, by name; `make statements` writes it."""

_TABLES = "tables"


class Compiled:
    """A statement's text for one driver, and how its parameters are handed over."""

    __slots__ = ("arguments", "constants", "order", "text")

    def __init__(self, text: str, order: Sequence[str] | None, constants: Mapping[str, Any]) -> None:
        """Take the names of the parameters in their `order`, None where the driver takes them by name.

        `constants` are what the statement itself brings along.
        """
        self.text, self.order, self.constants = text, order, constants
        self.arguments: Callable[[Mapping[str, Any]], Any] = _by_name if order is None else _in_order(order)
        # Returns a caller's parameters as the driver takes them: in order, or by name.
        if constants:
            take = self.arguments
            self.arguments = lambda parameters: take({**constants, **parameters})


def _by_name(parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    return parameters


def _in_order(order: Sequence[str]) -> Callable[[Mapping[str, Any]], Any]:
    if len(order) > 1:
        return itemgetter(*order)
    return lambda parameters: [parameters[name] for name in order]


def compiled(core: Any, dialect: str) -> Compiled:
    """Return what is said in Core, or under a name in `statements`, as text in the style of a dialect."""
    if isinstance(core, str):
        core = _named(core)
    if not hasattr(core, "compile"):
        core = core(_insert_of(dialect))
    done = core.compile(dialect=_dialect(dialect))
    # A caller's parameters have no value yet.
    constants = {name: value for name, value in done.params.items() if value is not None}
    return Compiled(str(done), getattr(done, "positiontup", None), constants)


def compiled_ahead(name: str, dialect: str) -> Compiled | None:
    """Return what was compiled ahead for a dialect under a name of `statements`, None if nothing was."""
    found = _ahead().get(name) if dialect == "sqlite" else None
    return None if found is None else Compiled(found["text"], found["order"], found["constants"])


def table_texts(dialect: str) -> Sequence[str]:
    """Return the statements that make a store's tables, but for the stamp of their version."""
    ahead = _ahead().get(_TABLES) if dialect == "sqlite" else None
    return ahead["texts"] if ahead is not None else _table_texts(dialect)


def all_ahead() -> dict[str, Any]:
    """Return what is to be compiled ahead: all of `statements` that SQLite may be told, and the tables."""
    from sqlalchemy import SelectBase, TextClause, UpdateBase  # noqa: PLC0415 - for who writes it, or checks it

    found: dict[str, Any] = {_TABLES: {"texts": _table_texts("sqlite")}}
    for file in sorted(AHEAD.parent.glob("[a-z]*.py")):
        for name, value in vars(import_module(f"{__package__}.statements.{file.stem}")).items():
            if not name.isupper() or (file.stem, name) in _OF_SERVERS:
                continue
            each = {f"{name}.{key}": core for key, core in value.items()} if isinstance(value, dict) else {name: value}
            for full, core in each.items():
                if isinstance(core, SelectBase | TextClause | UpdateBase | FunctionType):
                    done = compiled(core, "sqlite")
                    parts = {"text": done.text, "order": done.order, "constants": done.constants}
                    found[f"{file.stem}.{full}"] = parts
    return found


_OF_SERVERS = {
    ("append", "ONE"),
    ("append", "SETTLED"),
    ("confirming", "COMMIT_ANYTHING"),
    ("creation", "ON_SERVER"),
    ("log", "LAST_DRAWN"),
    ("log", "SERVER"),
    ("log", "WRITERS"),
    ("outbox", "SETTLED"),
}
"""What is said to Postgres alone."""


def _named(name: str) -> Any:
    module, attribute, *key = name.split(".")
    found = getattr(import_module(f"{__package__}.statements.{module}"), attribute)
    return found[key[0]] if key else found


def _read() -> bytes:
    # The loader reads it from wherever the package is, which may be an archive.
    data: bytes = __loader__.get_data(str(AHEAD))  # type: ignore[name-defined]  # every module has one
    return data


@cache
def _ahead() -> dict[str, Any]:
    try:
        found = json.loads(_read())
    except (OSError, ValueError):  # the package is not whole: everything is compiled when it is needed
        found = None
    return found if isinstance(found, dict) else {}


@cache
def _dialect(name: str) -> Dialect:
    # Each takes its time to load, so only the one in use is.
    if name == "sqlite":
        from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite  # noqa: PLC0415 - as said above

        return SQLiteDialect_pysqlite()
    from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg  # noqa: PLC0415 - as said above

    return PGDialect_psycopg()  # type: ignore[no-untyped-call]  # SQLAlchemy's own


def _insert_of(dialect: str) -> Any:
    if dialect == "sqlite":
        from sqlalchemy.dialects.sqlite import insert  # noqa: PLC0415 - as said above
    else:
        from sqlalchemy.dialects.postgresql import insert  # type: ignore[assignment]  # noqa: PLC0415 - as above
    return insert


def _table_texts(dialect: str) -> list[str]:
    from sqlalchemy import create_mock_engine  # noqa: PLC0415 - for a server, and for who compiles ahead

    from pachyderm_cli.store.schema import metadata, schema_version  # noqa: PLC0415 - as above

    texts: list[str] = []

    def note(said: Any, *_: Any, **__: Any) -> None:
        texts.append(str(said.compile(dialect=_dialect(dialect))))

    engine = create_mock_engine("sqlite://" if dialect == "sqlite" else "postgresql+psycopg://", note)
    metadata.create_all(engine, checkfirst=False)
    schema_version.create(engine, checkfirst=False)
    # Core keeps a table's indexes in no order.
    tables = [each for each in texts if each.lstrip().startswith("CREATE TABLE")]
    return [*tables, *sorted(set(texts) - set(tables))]
