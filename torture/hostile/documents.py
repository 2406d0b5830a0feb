"""Files: JSON documents, JSON Lines for `send --file`, exports for `import`, TOML for the project's own file."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from torture.hostile import words

_texts = st.one_of(words.noise, st.sampled_from(["\0", "a\0b", "\ud800", "\udfff\ud800", "abc"]))
_leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    _texts,
    st.sampled_from([10**400, -(10**4000), 2**63, 0.1, -0.0]),
)
values = st.recursive(
    _leaves,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(_texts, inner, max_size=4)),
    max_leaves=8,
)
"""What JSON can hold, and NaN, infinities and lone surrogates."""

_FIELDS = (
    "text",
    "whole",
    "exact",
    "real",
    "sure",
    "day",
    "moment",
    "tags",
    "place",
    "anything",
    "size",
    "reason",
    "at_once",
)
_meant = st.fixed_dictionaries(
    {},
    optional={
        "text": st.one_of(_texts, st.text(max_size=20)),
        "whole": st.integers(),
        "exact": st.one_of(st.decimals(allow_nan=False).map(str), st.floats(allow_nan=False)),
        "real": st.floats(allow_nan=False, allow_infinity=False),
        "moment": words.times,
        "tags": st.lists(_texts, max_size=3),
        "place": st.fixed_dictionaries({"city": _texts}),
        "anything": st.dictionaries(_texts, values, max_size=3),
    },
)
data = st.one_of(
    _meant, _meant, st.dictionaries(st.one_of(st.sampled_from(_FIELDS), _texts), values, max_size=4), values
)
"""The data of a message, as it should be and otherwise."""

_SPOILT = (
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\x00",
    b"\r\n",
    b"\r",
    b"\x1b[2J",
    b",",
    b"}",
    b'"',
    b"\\ud800",
    b"\\u0000",
    b"NaN",
    b"//",
)
_WHOLE = (
    b"",
    b"\n\n\n",
    b"\xef\xbb\xbf",
    b"null",
    b"[" * 100_000,
    b'{"text":' * 100_000,
    b'{"anything":{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}}",
    b'{"whole":' + b"7" * 10_000 + b"}",
    b'{"anything":{"a":' + b"7" * 10_000 + b"}}",
    b'{"exact":1e999999999999999999}',
    b'{"exact":0.' + b"1" * 10_000 + b"}",
    b'{"text":"\\ud800"}',
    b'{"text":"\\u0000"}',
    b'{"text":"\x00"}',
    b'{"text":"\xff"}',
    b'{"text":"a","text":"b"}',
    b'{"real":NaN}',
    b'{"anything":{"a":Infinity}}',
    b"\xff\xfe{\x00}\x00",
)


def spoilt(draw: st.DrawFn, text: bytes) -> bytes:
    """Cut a text off, or put something into it, or leave it as it is."""
    at = draw(st.integers(0, len(text)))
    return draw(st.sampled_from((text, text, text, text[:at], text[:at] + draw(st.sampled_from(_SPOILT)) + text[at:])))


def as_json(value: Any) -> bytes:
    """Return JSON as a careless writer would have it: with NaN and infinities, lone surrogates escaped."""
    return json.dumps(value).encode()


@st.composite
def documents(draw: st.DrawFn) -> bytes:
    """Draw a message's data."""
    if draw(st.integers(0, 4)) == 0:
        return draw(st.sampled_from(_WHOLE))
    return spoilt(draw, as_json(draw(data)))


_lines = st.fixed_dictionaries(
    {"to": words.references, "message": words.messages},
    optional={"data": data, "id": st.one_of(words.uuids, values), "more": values},
)


@st.composite
def line_files(draw: st.DrawFn) -> bytes:
    """Draw a file for `send --file`."""
    lines = [draw(st.one_of(_lines.map(as_json), documents(), st.just(b""))) for _ in range(draw(st.integers(0, 5)))]
    return spoilt(draw, draw(st.sampled_from((b"\n", b"\r\n"))).join(lines))


@st.composite
def exports(draw: st.DrawFn, whole: Sequence[bytes]) -> bytes:
    """Draw what became of the lines of an export: some changed, or moved; under a right checksum, or the old one."""
    *lines, _footer = whole
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(lines) - 1))
        lines[at : at + 1] = draw(st.sampled_from(([], [lines[at]] * 2, [_changed(draw, lines[at])], [lines[at]])))
        if draw(st.booleans()):
            lines.insert(
                draw(st.integers(0, len(lines))),
                draw(st.one_of(documents(), st.sampled_from(lines or [b""]))).strip() + b"\n",
            )
    ending = [_footer_of(lines)] if draw(st.integers(0, 3)) else list(whole[-1:])
    return spoilt(draw, b"".join([*lines, *ending]))


def _changed(draw: st.DrawFn, line: bytes) -> bytes:
    """Give a column of a row another value; what was put between the rows stays as it is."""
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        return line
    inner = document.values() if isinstance(document, dict) else ()
    row = next((each for each in inner if isinstance(each, dict)), document)
    if not isinstance(row, dict) or not row:
        return line
    key = draw(st.sampled_from(sorted(row)))
    row[key] = draw(
        st.one_of(values, words.noise, words.uuids, words.times, words.numbers.filter(lambda each: len(each) < 30))
    )
    return as_json(document) + b"\n"


def _footer_of(lines: Sequence[bytes]) -> bytes:
    kinds = {
        "events": b'{"event"',
        "entities": b'{"entity"',
        "cursors": b'{"cursor"',
        "forks": b'{"fork"',
        "effects": b'{"effect"',
    }
    counts = {name: sum(line.startswith(kind) for line in lines) for name, kind in kinds.items()}
    digest = hashlib.sha256(b"".join(lines)).hexdigest()
    return json.dumps({"end": {**counts, "sha256": digest}}, separators=(",", ":")).encode() + b"\n"


_toml_keys = st.one_of(
    st.sampled_from(
        ["url", "network", "wait_seconds", "every", "types", "lease_seconds", "deliveries", "entities", "effects"]
    ),
    words.noise,
)
_toml_values = st.one_of(
    st.booleans().map(lambda each: str(each).lower()),
    words.numbers,
    words.times,
    st.one_of(words.urls, words.noise, words.names).map(json.dumps),
    st.sampled_from(
        ['"${HOME}"', '"${NONE}"', '"$$"', '"a\\u0000b"', "nan", "inf", "-0", "[]", "{}", '["chest"]', "[[1]]"]
    ),
    st.sampled_from([b"[".decode() * 5000, "0x" + "f" * 10_000, "1979-05-27T07:32:00Z", "'''\n'''"]),
)


@st.composite
def project_files(draw: st.DrawFn) -> bytes:
    """Draw a pachyderm.toml."""
    lines: list[str] = []
    for table in draw(
        st.lists(
            st.sampled_from(["", "store", "snapshots", "outbox", "lookup", "effects", "networks.red", "none"]),
            max_size=4,
        )
    ):
        lines += [f"[{table}]"] if table else []
        for _ in range(draw(st.integers(0, 3))):
            key, value = draw(_toml_keys), draw(_toml_values)
            lines.append(f"{key if key.isidentifier() and key.isascii() else json.dumps(key)} = {value}")
    return spoilt(draw, "\n".join(lines).encode(errors="surrogateescape"))
