"""Moving a network from store to store: as lines that lose nothing, through a file or straight.

What does it is loaded when it is called for: every command loads this module, and few move anything.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from datetime import datetime
from typing import TYPE_CHECKING

from pachyderm_cli.config import require_network
from pachyderm_cli.domain.reference import Reference, is_type_name
from pachyderm_cli.engine.finding import Finder
from pachyderm_cli.errors import NotFound, UsageError
from pachyderm_cli.store.store import Store

if TYPE_CHECKING:
    from pachyderm_cli.store.abandoning import Abandoned
    from pachyderm_cli.store.exported import Exported
    from pachyderm_cli.store.exporting import Progress
    from pachyderm_cli.store.importing import Imported


class Moving:
    """The part of `Pachyderm` that exports and imports its network."""

    _store: Store
    _network: str
    _finder: Finder
    _clock: Callable[[], datetime]

    def export(
        self,
        *,
        type_name: str | None = None,
        reference: str | Reference | None = None,
        progress: Progress | None = None,
    ) -> Generator[str, None, None]:
        r"""Return an iterator over the lines of an export of the network, each with its end.

        They are of one moment, however long it takes, and nobody waits for it. `type_name` chooses the entities that a
        type handled last, `reference` one entity; cursors are then left out. `progress` is called with how many lines
        were handed out, and how many there are. Close it where it is not read to its end.

        Raises NotFound, UsageError for a network into which an import is unfinished, StoreError.

            with open("monday.jsonl", "w", encoding="utf-8", newline="\n") as file:
                file.writelines(pachyderm.export())
        """
        from pachyderm_cli.store.exchange import Wanted  # noqa: PLC0415 - see the module's docstring
        from pachyderm_cli.store.exporting import export_lines  # noqa: PLC0415 - as above

        if type_name is not None and reference is not None:
            raise UsageError("choose the entities of a type, or one entity, not both")
        if type_name is not None and not is_type_name(type_name):
            raise UsageError(f"{type_name!r} is not an entity type's name; write it as in counter or billing.invoice")
        entity = None if reference is None else self._finder.in_log(reference, is_there=True)
        return export_lines(self._store, Wanted(self._network, type_name, entity), progress)

    def import_lines(self, lines: Iterable[str | bytes] | Exported, *, resumable: bool = False) -> Imported:
        """Import the lines of an export into the network, which has none of its entities, and return what was imported.

        In one transaction; or `resumable`, in parts: after whatever ended it the same call goes on where it came to.
        Everything in the lines is checked, and at the end whether the network is whole.

        Raises Collision for what is there already, CheckFailed for lines that were changed or cut off, UsageError for
        what is no export and where another import is unfinished, StoreError. After each nothing was written, or, of a
        resumable one, the parts before stay.
        """
        from pachyderm_cli.store.exported import Exported  # noqa: PLC0415 - see the module's docstring
        from pachyderm_cli.store.importing import import_in_parts, import_whole  # noqa: PLC0415 - as above

        exported = lines if isinstance(lines, Exported) else Exported(lines)
        load = import_in_parts if resumable else import_whole
        return load(self._store, exported, self._network)

    def require_free(self, lines: Iterable[str | bytes] | Exported) -> None:
        """Read lines that are to be imported in parts, and raise what `import_lines` would, before any of it is in.

        What an import that is unfinished has brought in already is left out. Nothing is written.
        """
        from pachyderm_cli.store.colliding import require_free  # noqa: PLC0415 - see the module's docstring
        from pachyderm_cli.store.exported import Exported  # noqa: PLC0415 - as above
        from pachyderm_cli.store.imports import unfinished  # noqa: PLC0415 - as above

        exported = lines if isinstance(lines, Exported) else Exported(lines)
        found = self._store.read(lambda transaction: unfinished(transaction, self._network))
        require_free(self._store, self._network, exported, 0 if found is None else found.lines)

    def abandon_import(self) -> Abandoned:
        """Give up an import in parts that is unfinished, and return what went again.

        Entities of which only a part had come in are removed; those that are whole stay, as they may have been written
        to. Followers get one row of the type "$erased" that says so. Raises NotFound where no import is unfinished.
        """
        from pachyderm_cli.store.abandoning import abandon_import  # noqa: PLC0415 - see the module's docstring

        abandoned = abandon_import(self._store, self._network, self._clock())
        if abandoned is None:
            raise NotFound(f"no import into the network {self._network!r} is unfinished", network=self._network)
        return abandoned

    def copy_to(self, store: str, *, network: str | None = None, progress: Progress | None = None) -> Imported:
        """Copy the network into the store of that URL, made if it is not there, in one transaction of that store's.

        `network` is what it is called there, left out the same. `progress` is as that of `export`. Raises as `export`
        and `import_lines` do, ConfigError for the URL, UsageError where both stores are one database.
        """
        from pachyderm_cli.store.exported import Exported  # noqa: PLC0415 - see the module's docstring
        from pachyderm_cli.store.importing import import_whole  # noqa: PLC0415 - as above
        from pachyderm_cli.store.same import is_same_database  # noqa: PLC0415 - as above

        into = self._network if network is None else network
        require_network(into)
        with closing(Store(store)) as target, closing(self.export(progress=progress)) as lines:
            exported = Exported(lines)
            if is_same_database(self._store, target):
                raise UsageError(f"{target} is the store itself; name another one to copy to")
            return import_whole(target, exported, into)
