"""Files that are there whole or not at all: written beside their place, synced, and only then given their name.

What ends the process without asking it (SIGKILL, a power failure) leaves what was written, `.pachyderm-….partial`.
Nobody takes that away later: whether another process, perhaps of another machine, still writes it cannot be told.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from pachyderm_cli.errors import StoreError, UsageError

_SIDE_FILES = ("-wal", "-shm", "-journal")


@contextmanager
def new_file(target: Path, *, replace: bool) -> Iterator[Path]:
    """Lend an empty file, its owner's alone, to be written and closed; in the end it gets the name `target`.

    A file of that name is replaced if told to. Raises UsageError for a name that it cannot have, StoreError where it
    cannot be written; then, and after an interruption, nothing of it is left.
    """
    target = target.absolute()
    partial = target.with_name(f".pachyderm-{uuid4().hex}.partial")
    try:
        _require_free(target, replace=replace)
        os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        yield partial
        _sync(partial)
        _name(partial, target, replace=replace)
    except OSError as error:
        raise not_written(target, error.strerror or str(error)) from error
    finally:
        for each in (partial, *side_files(partial)):
            with suppress(OSError):
                each.unlink()


def write_new_file(target: Path, lines: Iterable[str], *, replace: bool) -> int:
    """Write `lines`, which have their ends, into a new file; return its size. Raises as `new_file` does."""
    with new_file(target, replace=replace) as partial, partial.open("wb") as file:
        for line in lines:
            file.write(line.encode())
        return file.tell()


def not_written(target: Path, problem: str) -> StoreError:
    """Return the error for a new file that could not be written."""
    return StoreError(f"the file {target} cannot be written ({problem}); nothing of it is left", file=str(target))


def side_files(database: Path) -> list[Path]:
    """Return the files that SQLite keeps, or kept, beside a database."""
    return [database.with_name(database.name + suffix) for suffix in _SIDE_FILES]


def _require_free(target: Path, *, replace: bool) -> None:
    if target.is_dir():
        raise UsageError(f"{target} is a folder; name a file in it")
    _require_no_database_in_use(target)
    if os.path.lexists(target):
        if not target.is_file():  # to replace a device would take it from everybody
            raise UsageError(f"{target} is no file of the usual kind, and is never replaced; name another file")
        if not replace:
            raise _there_already(target)


def _require_no_database_in_use(target: Path) -> None:
    """Raise UsageError where SQLite would read the new file together with what is there, and take both for one."""
    for beside in side_files(target):
        if os.path.lexists(beside):
            raise UsageError(
                f"{target} is a database in use, or one that was never closed: {beside.name} is beside it; "
                "name another file"
            )
    for suffix in _SIDE_FILES:
        database = target.name.removesuffix(suffix)
        if database not in ("", target.name) and os.path.lexists(target.with_name(database)):
            raise UsageError(f"{target} is what SQLite keeps beside {database}; name another file")


def _there_already(target: Path) -> UsageError:
    return UsageError(f"{target} is there already; --force replaces it", file=str(target))


def _name(partial: Path, target: Path, *, replace: bool) -> None:
    """Give the file its name, durably; without `replace` never that of one that somebody made meanwhile."""
    if replace:
        partial.replace(target)
    else:
        try:
            target.hardlink_to(partial)
        except FileExistsError:
            raise _there_already(target) from None
        except OSError:  # a file system without links
            if os.path.lexists(target):
                raise _there_already(target) from None
            partial.replace(target)
    _sync(target.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
