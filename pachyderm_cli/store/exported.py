"""An export that is read: line by line, each checked, and all of it held against its footer."""

from __future__ import annotations

import hashlib
import json
import weakref
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from pachyderm_cli.config import require_network
from pachyderm_cli.errors import CheckFailed, ConfigError, UsageError
from pachyderm_cli.store.exchange import CURSOR, ENTITY, EVENT, FORMAT, KINDS, Kind, Row, find_fault
from pachyderm_cli.store.told import Told
from pachyderm_cli.store.version import SCHEMA_VERSION

LONGEST_HEADER = 65_536
"""Characters of the first line. Whoever reads a file need not read more to know that it is none of ours."""

_KINDS = {kind.name: kind for kind in KINDS}
_BEGINNING = b'{"pachyderm":"export"'
_HEADER = {"pachyderm", "format", "schema", "network", "filter"}


class Line(NamedTuple):
    """A line that is a row, with its number in the file and its size."""

    number: int
    kind: Kind
    row: Row
    size: int


class Exported:
    """The lines of an export, to be read once. `lines` is how many were read, `network` whose it is."""

    def __init__(self, lines: Iterable[str | bytes]) -> None:
        """Read the header. Raises UsageError for what is no export, or a newer one; CheckFailed for a damaged one."""
        self._lines = iter(lines)
        self._checksum = hashlib.sha256()
        self._last = 0  # position of the last event
        self.counts = dict.fromkeys((kind.plural for kind in KINDS), 0)
        self.lines = 1
        self.network = self._read_header()
        self._told = Told()  # stays from one iteration to the next, which goes on where that ended
        self._forget = weakref.finalize(self, self._told.close)

    @property
    def checksum(self) -> str:
        """The checksum of the lines that were read."""
        return self._checksum.hexdigest()

    def __iter__(self) -> Iterator[Line]:
        """Yield the rows. Raises CheckFailed for a line that is damaged, and for lines that are not all there are."""
        for given in self._lines:
            text = _bytes(given)
            self.lines += 1
            document = self._read(text)
            if "end" in document:
                self._check_footer(document["end"])
                self._check_all()
                return
            name = next(iter(document)) if len(document) == 1 else ""
            kind = _KINDS.get(name)
            if kind is None:
                raise self.damaged("there is nothing of that kind in an export")
            row: Row = document[name]
            self._check_row(kind, row)
            self._checksum.update(text)
            self.counts[kind.plural] += 1
            yield Line(self.lines, kind, row, len(text))
        raise CheckFailed(
            f"it ends after line {self.lines} without the footer that an export ends with: it was cut off",
            line=self.lines,
        )

    def damaged(self, problem: str, line: int | None = None) -> CheckFailed:
        """Return the error for a line, or for the one that was read last."""
        number = self.lines if line is None else line
        return CheckFailed(f"line {number}: {problem}; the file was changed or cut off", line=number)

    def _read_header(self) -> str:
        text = _bytes(next(self._lines, b""))
        if not text.startswith(_BEGINNING):
            raise UsageError("it is no export: pachyderm export writes one, whose first line says so")
        header = self._read(text)
        found = header.get("format")
        if type(found) is not int or not isinstance(header.get("schema"), str):
            raise self.damaged("the header does not say in which format it is")
        if found > FORMAT or header["schema"] > SCHEMA_VERSION:
            raise UsageError(
                f"it was written by a newer pachyderm (format {found}, schema {header['schema']}; this one reads "
                f"format {FORMAT}, schema {SCHEMA_VERSION}); upgrade pachyderm-cli"
            )
        network = header.get("network")
        if found != FORMAT or header.keys() != _HEADER or not isinstance(network, str):
            raise self.damaged("it is no header of an export")
        try:
            require_network(network)
        except ConfigError as error:
            raise self.damaged(error.message) from error
        self._checksum.update(text)
        return network

    def _read(self, text: bytes) -> dict[str, Any]:
        try:
            document = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise self.damaged(f"it is not JSON ({' '.join(str(error).split())[:200]})") from error
        if not isinstance(document, dict):
            raise self.damaged("it is no object")
        return document

    def _check_row(self, kind: Kind, row: Any) -> None:
        fault = find_fault(kind, row)
        if fault is not None:
            raise self.damaged(fault)
        if kind is EVENT:
            if row["position"] <= self._last:
                raise self.damaged(f"the position {row['position']} comes after {self._last}")
            self._last = row["position"]
        elif kind is ENTITY and row["position"] < self._last:
            raise self.damaged(f"the entity's position {row['position']} is before that of the event above it")
        elif kind is CURSOR and row["position"] != self._last:
            raise self.damaged("the cursor stands elsewhere than at the event above it")
        fault = self._told.fault_of(self.lines, kind, row)
        if fault is not None:
            raise self.damaged(fault)

    def _check_all(self) -> None:
        found = self._told.fault_of_all()
        self._forget()
        if found is not None:
            line, problem = found
            raise self.damaged(problem, line)

    def _check_footer(self, footer: Any) -> None:
        if not isinstance(footer, dict) or footer.keys() != {*self.counts, "sha256"}:
            raise self.damaged("it is no footer of an export")
        for name, count in self.counts.items():
            if footer[name] != count:
                raise self.damaged(f"there are {count} {name}, and the footer says {footer[name]!r}"[:200])
        if footer["sha256"] != self.checksum:
            raise self.damaged("the checksum of all lines before it is another than it says")
        if any(_bytes(rest).strip() for rest in self._lines):
            self.lines += 1
            raise self.damaged("something comes after the footer")


def _bytes(line: str | bytes) -> bytes:
    return line if isinstance(line, bytes) else line.encode(errors="surrogatepass")
