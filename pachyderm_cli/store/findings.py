"""What `store verify` finds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from pachyderm_cli.store.sound_rows import Fault


class Finding(NamedTuple):
    """Something that should not be so: which check it failed, where, and what it is.

    The entity is named by type and id as they are stored, which may be neither's form.
    """

    check: str
    problem: str
    network: str | None = None
    entity: tuple[str, str] | None = None
    version: int | None = None


class Place(NamedTuple):
    """Where in a network a row belongs: what its findings have in common."""

    network: str
    entity: tuple[str, str] | None = None
    version: int | None = None

    def finding(self, check: str, problem: str) -> Finding:
        """Return a finding there."""
        return Finding(check, problem, *self)

    def findings(self, faults: Iterable[Fault]) -> Iterator[Finding]:
        """Yield a finding there for each fault."""
        for check, problem in faults:
            yield Finding(check, problem, *self)
