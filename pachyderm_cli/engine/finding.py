"""From what someone wrote to one entity: prefixes, left-out types and left-out references, looked up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from pachyderm_cli.domain.reference import (
    ById,
    ByPrefix,
    New,
    ParsedReference,
    Reference,
    exact_reference,
    parse_reference,
)
from pachyderm_cli.errors import AmbiguousReference, Erased, InvalidReference, NotFound
from pachyderm_cli.store.erasing import tombstone
from pachyderm_cli.store.heads import find_head, heads_between, last_written
from pachyderm_cli.store.records import ERASED, Head
from pachyderm_cli.store.store import Store

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Finder:
    """Finds entities of one network."""

    store: Store
    network: str

    def existing(self, reference: str | Reference | None) -> Head:
        """Return the entity that `reference` means; None means the one written to last.

        The head's type is the one that was written, where one was. Raises NotFound, AmbiguousReference and
        InvalidReference.
        """
        if reference is None:
            return self._last_written()
        if isinstance(reference, Reference):
            return self._by_id(reference, str(reference))
        if not isinstance(reference, str):
            raise _no_reference(reference)
        exact = exact_reference(self.network, reference)
        if exact is not None:
            return self._by_id(exact, reference)
        return self._inexact(reference)

    def receiver(self, reference: str | Reference, fresh: Callable[[], UUID] | None = None) -> Reference:
        """Return whom a message to `reference` goes to: an entity that need not exist yet, where its id is whole.

        `fresh` makes the id that `new` stands for. Raises as `existing` does.
        """
        if isinstance(reference, Reference):
            return reference
        if not isinstance(reference, str):
            raise _no_reference(reference)
        exact = exact_reference(self.network, reference)
        if exact is not None:
            return exact
        parsed = parse_reference(reference)
        if fresh is not None and isinstance(parsed.target, New):
            return Reference(str(parsed.type), fresh())
        return self._inexact(reference).entity

    def in_log(self, reference: str | Reference, *, is_there: bool) -> UUID:
        """Return the id of an entity that the log tells of, be it that it was erased.

        Raises as `existing` does where it `is_there`, as `receiver` otherwise.
        """
        try:
            return self.existing(reference).entity.id if is_there else self.receiver(reference).id
        except Erased as error:
            return UUID(str(error.details["entity"]).rpartition(":")[2])

    def is_exact(self, reference: str) -> bool:
        """Tell whether `reference` says by itself whom it means, so that what the store holds makes no difference."""
        try:
            parsed = parse_reference(reference)
        except InvalidReference:
            return True
        return parsed.type is not None and not isinstance(parsed.target, ByPrefix)

    def _inexact(self, reference: str) -> Head:
        """Return the entity that only the store can tell: of a prefix, or of an id whose type was left out."""
        parsed = parse_reference(reference)
        if isinstance(parsed.target, ByPrefix):
            return _as_type(self._by_prefix(parsed, parsed.target), parsed.type)
        if isinstance(parsed.target, ById):
            return self._there(find_head(self.store, self.network, parsed.target.id), parsed.text)
        raise InvalidReference(f"{reference!r}: 'new' goes with send only", reference=reference)

    def _by_id(self, reference: Reference, written: str) -> Head:
        return _as_type(self._there(find_head(self.store, self.network, reference.id), written), reference.type)

    def _there(self, head: Head | None, written: str) -> Head:
        """Return the head of an entity that is there. Raises NotFound, Erased."""
        if head is None:
            raise self._missing(written)
        if head.entity.type == ERASED:
            raise tombstone(self.store, self.network, head.entity.id)
        return head

    def _by_prefix(self, parsed: ParsedReference, prefix: ByPrefix) -> Head:
        found = heads_between(self.store, self.network, prefix.first, prefix.last, _SHOWN + 1)
        if not found:
            raise self._missing(parsed.text)
        if len(found) > 1:
            shown = [_named(head) for head in found[:_SHOWN]]
            more = ", …" if len(found) > _SHOWN else ""
            raise AmbiguousReference(
                f"{prefix.text!r} fits more than one entity: {', '.join(shown)}{more}; write more digits",
                reference=parsed.text,
                candidates=shown,
            )
        return self._there(found[0], parsed.text)

    def _last_written(self) -> Head:
        head = last_written(self.store, self.network)
        if head is not None:
            return head
        raise NotFound(f"the network {self.network!r} has no entities yet; send a message to one", network=self.network)

    def _missing(self, reference: str) -> NotFound:
        return NotFound(
            f"there is no entity {reference!r} in the network {self.network!r}; pachyderm list shows what there is",
            reference=reference,
            network=self.network,
        )


def _named(head: Head) -> str:
    return f"{head.entity.id} (erased)" if head.entity.type == ERASED else str(head.entity)


def _no_reference(given: object) -> InvalidReference:
    return InvalidReference(f"a reference is text or a Reference, not {type(given).__name__}")


def _as_type(head: Head, type_name: str | None) -> Head:
    if type_name is None or type_name == head.entity.type:
        return head
    return Head(Reference(type_name, head.entity.id), head.version, head.created_at, head.updated_at)
