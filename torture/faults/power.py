"""Power loss: what a disk may hold after it, of what SQLite had asked for until then.

What was synced is there. Of what was not, each sector of 512 bytes may be there or not, each by itself, whatever the
order in which they were written; so may a truncation and the removal of a file. The shared memory is none of the disk.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from torture.faults.vfs import Operation

_SECTOR = 512


@dataclass
class _File:
    synced: bytearray = field(default_factory=bytearray)
    is_there: bool = False
    unsynced: list[Operation] = field(default_factory=list)


class Disk:
    """The files of a store as operation follows operation."""

    def __init__(self, *, syncs: bool = True) -> None:
        """Begin with nothing. A disk that never `syncs` lies about it, as some do."""
        self._files: dict[str, _File] = {}
        self._syncs = syncs
        self.acknowledged: list[str] = []

    def take(self, operation: Operation) -> None:
        """Note one operation."""
        if operation.kind == "ack":
            self.acknowledged.append(operation.file)
            return
        file = self._files.setdefault(operation.file, _File())
        if operation.kind == "delete" and operation.offset and self._syncs:  # the folder was synced after it
            self._files[operation.file] = _File()
        elif operation.kind != "sync":
            file.unsynced.append(operation)
        elif self._syncs:
            for each in file.unsynced:
                _apply(file, each)
            file.unsynced.clear()

    def after_power_loss(self, folder: Path, random: Random) -> None:
        """Write into `folder` what may be left of the files, chosen by chance."""
        share = random.choice((0.0, 0.0, 0.5, 0.9, 1.0))  # how much of what was not synced is there
        for name, file in self._files.items():
            left = _File(bytearray(file.synced), file.is_there)
            for operation in file.unsynced:
                for part in _sectors(operation):
                    if random.random() < share:
                        _apply(left, part)
            if left.is_there:
                (folder / Path(name).name).write_bytes(left.synced)
        if random.random() < 0.3:  # whatever some mapped memory held
            (folder / "store.db-shm").write_bytes(random.randbytes(32768))


def _apply(file: _File, operation: Operation) -> None:
    if operation.kind == "delete":
        file.synced.clear()
        file.is_there = False
        return
    file.is_there = True
    if operation.kind == "truncate":
        del file.synced[operation.offset :]
        return
    end = operation.offset + len(operation.data)
    if len(file.synced) < end:
        file.synced.extend(bytes(end - len(file.synced)))
    file.synced[operation.offset : end] = operation.data


def _sectors(operation: Operation) -> Sequence[Operation]:
    """Return a write in parts, each within a sector; anything else as it is."""
    if operation.kind != "write":
        return [operation]
    parts, at = [], 0
    while at < len(operation.data):
        size = _SECTOR - (operation.offset + at) % _SECTOR
        parts.append(operation._replace(offset=operation.offset + at, data=operation.data[at : at + size]))
        at += size
    return parts
