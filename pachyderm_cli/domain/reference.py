"""References: how people and programs name entities.

`TYPE:ID`, where ID is a UUID, a prefix of one, `new`, or `@name`. Parsing is pure; finding the entity behind a
prefix or a missing type is the engine's.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from uuid import UUID, uuid5

from pachyderm_cli.errors import InvalidReference

# Made once, by uuid4; every named entity's id depends on it.
_NAMED_ENTITIES = UUID("3f0f8a0e-6c55-4d0f-9a53-8f6d6f2c7c1b")

_TYPE = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_HEX = re.compile(r"[0-9a-f]+")
_HYPHENS_AFTER = (8, 12, 16, 20)
_FORMS = "write TYPE:ID, where ID is a UUID, at least four hex digits of one, 'new' or '@name'"


@dataclass(frozen=True, slots=True)
class Reference:
    """One entity: the type that handles it and its globally unique id."""

    type: str
    id: UUID

    def __post_init__(self) -> None:
        """Refuse what is no id: the log would keep it for ever."""
        if not isinstance(self.id, UUID):
            raise InvalidReference(f"the id of a reference is a uuid.UUID, not {self.id!r}")

    def __str__(self) -> str:
        return f"{self.type}:{self.id}"


@dataclass(frozen=True, slots=True)
class NetworkReference:
    """An entity of a network: whom a message goes to that leaves the network of its sender."""

    network: str
    entity: Reference

    def __str__(self) -> str:
        return f"{self.network}/{self.entity}"


def in_network(network: str, reference: Reference | str) -> NetworkReference:
    """Return an entity of another network, to send to: by its Reference, or as text with a whole id or a name.

    Raises InvalidReference.
    """
    if isinstance(reference, Reference):
        return NetworkReference(network, reference)
    parsed = parse_reference(reference)
    if parsed.type is None or not isinstance(parsed.target, ById | ByName):
        raise InvalidReference(
            f"{_shown(reference)} names no entity of another network; write TYPE:ID with a whole id, or TYPE:@name",
            reference=reference,
        )
    target = parsed.target
    entity_id = target.id if isinstance(target, ById) else named_id(network, parsed.type, target.name)
    return NetworkReference(network, Reference(parsed.type, entity_id))


@lru_cache(maxsize=4096)
def id_text(identifier: int) -> str:
    """Return the text of the UUID whose `int` that is. Those of entities are needed again and again."""
    return str(UUID(int=identifier))


@dataclass(frozen=True, slots=True)
class ById:
    """An entity by its whole id."""

    id: UUID


@dataclass(frozen=True, slots=True)
class ByPrefix:
    """The one entity whose id lies between `first` and `last`, the bounds of a prefix."""

    text: str
    first: UUID
    last: UUID


@dataclass(frozen=True, slots=True)
class ByName:
    """The entity that this name always means, within a network and a type."""

    name: str


@dataclass(frozen=True, slots=True)
class New:
    """An entity that is made by being sent to."""


@dataclass(frozen=True, slots=True)
class ParsedReference:
    """A reference as it was written: `type` is None where it was left out."""

    text: str
    type: str | None
    target: ById | ByPrefix | ByName | New


@lru_cache(maxsize=4096)
def parse_reference(text: str) -> ParsedReference:
    """Return what `text` names. Raises InvalidReference, saying what is wrong and what the forms are."""
    head, colon, tail = text.partition(":")
    type_name = head if colon else None
    identifier = tail if colon else head
    if type_name is not None and not is_type_name(type_name):
        raise InvalidReference(
            f"{_shown(text)} is not a reference: {_shown(type_name)} is not an entity type's name; {_FORMS}",
            reference=text,
        )
    return ParsedReference(text, type_name, _parse_target(text, type_name, identifier))


@lru_cache(maxsize=4096)
def exact_reference(network: str, text: str) -> Reference | None:
    """Return whom `text` means in a network, if it says so by itself: a type with a whole id or a name; else None.

    Raises InvalidReference.
    """
    parsed = parse_reference(text)
    if parsed.type is None:
        return None
    if isinstance(parsed.target, ByName):
        return Reference(parsed.type, named_id(network, parsed.type, parsed.target.name))
    return Reference(parsed.type, parsed.target.id) if isinstance(parsed.target, ById) else None


def is_type_name(text: str) -> bool:
    """Tell whether `text` could name an entity type: dotted identifiers, so never a path out of a folder."""
    return _TYPE.fullmatch(text) is not None


@lru_cache(maxsize=4096)
def named_id(network: str, type_name: str, name: str) -> UUID:
    """Return the id of the entity called `name`: a UUID5 (RFC 9562) of network, type and name."""
    return uuid5(_NAMED_ENTITIES, json.dumps([network, type_name, name], ensure_ascii=True))


def _parse_target(text: str, type_name: str | None, identifier: str) -> ById | ByPrefix | ByName | New:
    if identifier == "new" or identifier.startswith("@"):
        if type_name is None:
            form = identifier if identifier.isprintable() else "@name"
            raise InvalidReference(f"{_shown(text)} needs a type: write TYPE:{form}", reference=text)
        if identifier == "new":
            return New()
        return ByName(_valid_name(text, identifier[1:]))
    lowered = identifier.lower()
    if _UUID.fullmatch(lowered):
        return ById(UUID(lowered))
    if not identifier:
        raise InvalidReference(f"{_shown(text)} has no id; {_FORMS}", reference=text)
    return _parse_prefix(text, lowered)


def _parse_prefix(text: str, prefix: str) -> ByPrefix | ById:
    digits = prefix.replace("-", "")
    if not _HEX.fullmatch(digits) or len(digits) > 32 or prefix not in (digits, _hyphenated(digits, prefix)):
        raise InvalidReference(f"{_shown(text)} is not a reference: {_FORMS}", reference=text)
    if len(digits) < 4:
        raise InvalidReference(
            f"{_shown(text)} is too short: an id prefix has at least four hex digits", reference=text
        )
    if len(digits) == 32:
        return ById(UUID(digits))
    return ByPrefix(prefix, UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f")))


def _hyphenated(digits: str, prefix: str) -> str:
    """Return `digits` with the hyphens that a UUID has there, a trailing one if `prefix` ends with one."""
    cuts = [0, *(at for at in _HYPHENS_AFTER if at < len(digits)), len(digits)]
    parts = "-".join(digits[start:end] for start, end in pairwise(cuts))
    return parts + "-" if prefix.endswith("-") and len(digits) in _HYPHENS_AFTER else parts


def _valid_name(text: str, name: str) -> str:
    if not name:
        raise InvalidReference(f"{_shown(text)} has an empty name: write TYPE:@name", reference=text)
    if any(not character.isprintable() for character in name):
        raise InvalidReference(f"{_shown(text)} is not a reference: a name is printable text", reference=text)
    return name


def _shown(text: str) -> str:
    """Return `text` quoted, with control characters escaped and an overlong one cut."""
    return repr(text if len(text) <= 80 else text[:77] + "...")
