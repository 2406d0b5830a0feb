"""Appends for tests of the store: what an engine would have made of messages."""

from typing import Any
from uuid import UUID, uuid4

from pachyderm_cli.domain.reference import Reference
from pachyderm_cli.store.events import read_events
from pachyderm_cli.store.records import Append, NewEvent
from pachyderm_cli.store.store import Store
from tests.support.clocks import START


def an_entity(first_digits: str = "", type_name: str = "tally") -> Reference:
    """Return an entity whose id begins with these hex digits."""
    return Reference(type_name, UUID(first_digits + uuid4().hex[len(first_digits) :]))


def an_append(entity: Reference, expected_version: int = 0, events: int = 1, **values: Any) -> Append:
    """Return an append of so many events, whose data are their versions."""
    versions = range(expected_version + 1, expected_version + events + 1)
    given = {
        "message_id": uuid4(),
        "message": "Add",
        "message_fingerprint": "f",
        "caused_by": None,
        "recorded_at": START,
        **values,
    }
    new = tuple(NewEvent(version, "Added", f'{{"amount":{version}}}') for version in versions)
    return Append(entity=entity, expected_version=expected_version, events=new, **given)


def versions(store: Store, network: str, entity: Reference) -> list[int]:
    """Return the versions of the entity's events, in order."""
    return [event.version for event in read_events(store, network, entity.id)]
