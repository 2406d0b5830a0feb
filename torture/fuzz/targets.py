"""What is fuzzed, and the law of each: only the one kind of error comes out, and what was read reads the same again.

A target takes bytes, does what a command would do with them, and returns nothing. Whatever it raises is a breach. The
fuzzer makes the bytes; the ordinary tests give each target its seeds and some random ones.
"""

import json
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from pachyderm_cli.cli import batch
from pachyderm_cli.cli.commands.replay import read_time
from pachyderm_cli.cli.json_text import Stored, to_json
from pachyderm_cli.cli.output import harmless
from pachyderm_cli.config import load_config
from pachyderm_cli.domain.arguments import message_from_fields, message_from_json
from pachyderm_cli.domain.codec import Unfaithful, decode_model, difference, encode_faithfully, encode_state_faithfully
from pachyderm_cli.domain.conditions import read_condition
from pachyderm_cli.domain.entity import EntityType
from pachyderm_cli.domain.identifiers import message_fingerprint
from pachyderm_cli.domain.naming import find_by_spelling, suggestion
from pachyderm_cli.domain.protocol import read_entity
from pachyderm_cli.domain.reference import ById, ByName, ByPrefix, in_network, named_id, parse_reference
from pachyderm_cli.domain.timestamps import from_text, to_text
from pachyderm_cli.errors import CheckFailed, ConfigError, InvalidMessage, InvalidReference, UnknownMessage, UsageError
from pachyderm_cli.store.exchange import KINDS, find_fault
from pachyderm_cli.store.exported import Exported
from pachyderm_cli.store.sound_values import is_time
from pachyderm_cli.store.texts import json_problem
from pachyderm_cli.store.url import parse_url
from torture.hostile import chest

_ENTITY = UUID(int=7)
_ADVICE = "write sqlite:///FILE or postgresql+psycopg://USER@HOST/DATABASE"


class Broken(AssertionError):
    """A law does not hold."""


class Target(NamedTuple):
    """Something that reads bytes, and what it is usually given."""

    read: Callable[[bytes], None]
    seeds: tuple[bytes, ...]


@cache
def _chest() -> EntityType:
    return read_entity("chest", chest)


def _require(holds: bool, what: str) -> None:  # noqa: FBT001 - what is to hold
    if not holds:
        raise Broken(what)


def _text(data: bytes) -> str:
    """Return a word as a command has it: bytes that are no UTF-8 are lone surrogates, and there is no NUL."""
    return data.decode(errors="surrogateescape").replace("\0", "")


def reference(data: bytes) -> None:
    """A reference that reads names what it reads as, written in full."""
    text = _text(data)
    with suppress(InvalidReference):
        in_network("red", text)
    try:
        parsed = parse_reference(text)
    except InvalidReference as error:
        _require(error.message.isprintable(), "an error is printable")
        return
    match parsed.target:
        case ById(id=each):
            _require(parse_reference(str(each)).target == parsed.target, "an id is the same in full")
        case ByPrefix(first=first, last=last):
            _require(first < last, "a prefix leaves something open")
        case ByName(name=name):
            again = parse_reference(f"{parsed.type}:@{name}")
            _require((again.type, again.target) == (parsed.type, parsed.target), "a name is the same again")
            named_id("red", parsed.type or "", name)


def fields(data: bytes) -> None:
    """Words of FIELD=VALUE are a message, or the sender's fault."""
    name, *words = _text(data).split("\x1f")
    with suppress(InvalidMessage, UnknownMessage):
        _keep(message_from_fields(_chest(), name, words))


def message(data: bytes) -> None:
    """JSON is a message, or the sender's fault."""
    for name in ("put-in", "refuse"):
        with suppress(InvalidMessage):
            _keep(message_from_json(_chest(), name, data))


def _keep(found: Any) -> None:
    """Write a message as JSON and read it back: it is the same, also by its fingerprint."""
    try:
        before = message_fingerprint(_ENTITY, found)
        _, again = encode_faithfully(found)
    except Unfaithful as error:
        _require("\n" not in str(error), "an error is one line")
        return
    _require(difference(found, again) is None, "a message comes back the same")
    given = found.model_dump_json(by_alias=True, round_trip=True, exclude_unset=True)
    _require(message_fingerprint(_ENTITY, decode_model(type(found), given)) == before, "it keeps its fingerprint")


def event(data: bytes) -> None:
    """An event or a state that reads is written as JSON that reads as the same one."""
    try:
        found = decode_model(chest.Filled, data.decode())
    except (ValidationError, UnicodeDecodeError):
        return
    try:
        text, again = encode_faithfully(found)
    except Unfaithful:
        return
    _require(difference(found, again) is None, "an event comes back the same")
    _require(encode_faithfully(again)[0] == text, "an event has one text")
    state = chest.State(content=chest.Content(**dict(found)), count=1)
    states = TypeAdapter(chest.State)
    _require(difference(states.validate_json(encode_state_faithfully(states, state)), state) is None, "so does a state")
    _require(json_problem(text) is None, "what is stored is JSON")
    _require("\n" not in to_json({"data": Stored(text)}), "a result is one line")


def line(data: bytes) -> None:
    """A line of `send --file` is one that reads, or an invalid message of one line."""
    try:
        batch.read_line(data)
    except InvalidMessage as error:
        _require("\n" not in harmless(error.message), "an error is one line")


def export(data: bytes) -> None:
    """An export reads, or is none, or is damaged; a row that passes alone is JSON again."""
    with suppress(UsageError, CheckFailed):
        for each in Exported(data.splitlines(keepends=True)):
            _require(find_fault(each.kind, json.loads(json.dumps(each.row))) is None, "a row is sound once more")


def row(data: bytes) -> None:
    """A row of an export, whatever it is, is sound or has a fault that is told."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return
    for kind in KINDS:
        fault = find_fault(kind, found)
        _require(fault is None or bool(fault), "a fault is told")


def project_file(data: bytes) -> None:
    """A pachyderm.toml is a configuration, or wrong in a way that is told."""
    folder = _folder()
    (folder / "pachyderm.toml").write_bytes(data)
    with suppress(ConfigError):
        config = load_config(folder, environment={"A": "b"})
        with suppress(ConfigError):
            parse_url(config.store_url)
        for each in config.networks:
            with suppress(ConfigError):
                config.place_of(each)


@cache
def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="pachyderm-fuzz-"))


def condition(data: bytes) -> None:
    """A condition holds of a state, or does not, or cannot be compared with it."""
    filled = chest.Content(
        text="a", tags=["x"], anything={"a": {"b": [1.5, None, True]}}, place=chest.Place(city="Rome")
    )
    for state in (chest.State(), chest.State(content=filled, text="abc", count=3)):
        with suppress(UsageError):
            found = read_condition(_text(data))
            _require(found.holds(state) in (True, False), "it holds or not")
            opposite = found._replace(operator={"=": "!=", "!=": "="}.get(found.operator, found.operator))
            if opposite.operator != found.operator:
                _require(found.holds(state) != opposite.holds(state), "it is equal or not")


def store_url(data: bytes) -> None:
    """A store's URL is one, which reads the same again, or is refused without a word of its password."""
    text = _text(data)
    try:
        url = parse_url(text)
    except ConfigError as error:
        _, _, rest = text.partition("://")
        secret = rest.rpartition("@")[0].partition(":")[2]
        told = error.message.replace(_ADVICE, "")
        _require(len(secret) < 8 or secret not in told, "a password is not told")
        return
    _require(parse_url(url.whole) == url, "a URL is the same again")


def moment(data: bytes) -> None:
    """A time is stored as text that sorts, and comes back the same."""
    text = _text(data)
    _require(is_time(text) in (True, False), "it is a time or not")
    with suppress(UsageError):
        found = read_time(text)
        stored = to_text(found)
        _require(is_time(stored) and from_text(stored) == found, "a time comes back the same")


def shown(data: bytes) -> None:
    """What people are shown has nothing that a terminal obeys; what is shown once is shown the same again."""
    text = harmless(data.decode(errors="surrogateescape"))
    _require(all(each.isprintable() or each == "\t" for each in text), "it is printable")
    _require(harmless(text) == text, "it is the same again")


def spelling(data: bytes) -> None:
    """A name finds a class, or there is something to suggest."""
    name, known = _text(data), {"PutIn": 1, "put_out": 2, "TopUp": 3}
    if find_by_spelling(known, name) is None:
        _require(bool(suggestion(name[:100], known)), "something is suggested")


_EXPORT = Path(__file__).parent / "export.jsonl"
_KINDS = (b'{"event"', b'{"entity"', b'{"cursor"', b'{"fork"', b'{"effect"')


def _rows() -> tuple[bytes, ...]:
    """Return a row of each kind, as an export has them."""
    lines = _EXPORT.read_bytes().splitlines()
    firsts = [next(line for line in lines if line.startswith(kind)) for kind in _KINDS]
    return tuple(json.dumps(inner).encode() for line in firsts for inner in json.loads(line).values())


_DATA = b'{"text":"a","whole":7,"exact":"1.50","real":0.5,"moment":"2026-01-31T10:00:00Z","anything":{"a":[1,null]}}'
_TOML = b"""entities = "entities"
[store]
url = "sqlite:///pachyderm.db"
network = "default"
[snapshots]
every = 100
[effects]
a = "${A}$$"
[networks.red]
url = "postgresql+psycopg://user:${A}@host/db"
"""
_LINE = b'{"to": "chest:@a", "message": "put-in", "data": {"text": "a"}, "id": "7d6c2f4e-50a1-4b7e-9a55-0d1f6f1c2b3a"}'

TARGETS: Mapping[str, Target] = {
    "reference": Target(reference, (b"chest:@a", b"chest:new", b"01a2", b"a.b:851d183f-3af4-57f0-9fd6-7514266dc2f6")),
    "fields": Target(
        fields, (b"put-in\x1ftext=a\x1fwhole=7\x1ftags=[1]\x1fmoment=2026-01-31T10:00Z", b"refuse\x1freason=b")
    ),
    "message": Target(message, (_DATA, b'{"reason":"b"}', b'{"exact":1e400,"real":NaN}')),
    "event": Target(event, (_DATA, b'{"day":"2026-01-31","place":{"city":"Rome"},"tags":["\\ud83d\\udc18"]}')),
    "line": Target(line, (_LINE, b"\xef\xbb\xbf{}")),
    "export": Target(export, (_EXPORT.read_bytes(),)),
    "row": Target(row, _rows()),
    "project-file": Target(project_file, (_TOML, b'[lookup]\ntypes = ["chest"]\n[outbox]\nlease_seconds = 0.5')),
    "condition": Target(
        condition, (b"count<3", b"content.tags.0='x'", b"content.moment>=2026-01-31", b"content.anything.a.b.0!=1.5")
    ),
    "store-url": Target(
        store_url,
        (
            b"sqlite:///a.db",
            b"postgresql+psycopg://u:secret@h:1,[::1]:2/db?sslmode=require",
            b"postgres:///db?host=/tmp&port=1",
        ),
    ),
    "moment": Target(
        moment, (b"2026-01-31", b"2026-01-31T10:00:00.123456Z", b"0001-01-01T00:00:00+14:00", b"2026-W01-1")
    ),
    "shown": Target(shown, (b"a\x1b[2J\xc2\x9b", b"\xe2\x80\xae\tabc\\x1b", b"\xff")),
    "spelling": Target(spelling, (b"put-in", b"PUT_OUT", b"topup")),
}
