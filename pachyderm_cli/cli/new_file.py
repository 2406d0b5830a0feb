"""Files that are there whole or not at all: written beside their place, synced, and only then given their name."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from pachyderm_cli.errors import StoreError, UsageError


def write_new_file(path: str, lines: Iterable[str], *, replace: bool) -> int:
    """Write `lines`, which have their ends, into a file that its owner alone can read; return its size.

    A file of that name is replaced if told to. Raises UsageError for one that is there otherwise, StoreError where it
    cannot be written; then, and after an interruption, nothing of it is left.
    """
    target = Path(path).absolute()
    _require_free(target, replace=replace)
    partial = target.with_name(f".pachyderm-{uuid4().hex}.partial")
    try:
        size = _write(partial, lines)
        _name(partial, target, replace=replace)
    except OSError as error:
        raise StoreError(
            f"the file {target} cannot be written ({error.strerror}); nothing of it is left", file=str(target)
        ) from error
    finally:
        with suppress(OSError):
            partial.unlink()
    return size


def _require_free(target: Path, *, replace: bool) -> None:
    if target.is_dir():
        raise UsageError(f"{target} is a folder; name a file in it")
    if os.path.lexists(target):
        if not replace:
            raise _there_already(target)
        if not target.is_file():  # to replace a device would take it from everybody
            raise UsageError(f"{target} is no file of the usual kind; leave -o out, and redirect the output to it")


def _there_already(target: Path) -> UsageError:
    return UsageError(f"{target} is there already; --force replaces it", file=str(target))


def _write(partial: Path, lines: Iterable[str]) -> int:
    with os.fdopen(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        for line in lines:
            file.write(line.encode())
        file.flush()
        os.fsync(file.fileno())
        return file.tell()


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
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
