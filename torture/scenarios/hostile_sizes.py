"""Hostile sizes: messages as big as can be, on both databases, each whole, in memory that is bounded."""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from torture.figure import Figure, Run
from torture.hostile import chest
from torture.hostile.judging import breaches_of
from torture.judge.laws import Breach
from torture.load.commands import Done, command, load_everything

NAME = "hostile input, sizes"
ODD: Mapping[bytes, Mapping[str, Any] | None] = {
    b'{"anything":{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}}": None,
    b'{"anything":{"a":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}}": None,
    b'{"whole":' + b"7" * 10_000 + b"}": None,
    b'{"anything":{"a":' + b"7" * 10_000 + b"}}": None,
    b'{"whole":' + b"7" * 4_000 + b"}": {"whole": int("7" * 4_000)},
    b'{"exact":"' + b"7" * 10_000 + b'"}': {"exact": "7" * 10_000},
    b'{"exact":1e999999999999999999}': None,
    b'{"text":"\\ud800"}': None,
    b'{"anything":{"\\udfff":1}}': None,
    b'{"text":"a\\u0000b"}': {"text": "a\0b"},
    b'{"tags":["\\u0000"]}': {"tags": json.dumps(["\0"])},
    b'{"anything":{"\\u0000":1}}': {"anything": json.dumps({"\0": 1})},
    b'{"text":"a\x00b"}': None,
    b'{"text":"\xff\xfe"}': None,
    b'{"text":"\xed\xa0\x80"}': None,
    b'{"text":"a","text":"b"}': {"text": "b"},
    b'{"text":"\xef\xbb\xbf"}': {"text": "\ufeff"},
    b'\r{"text":"a"}\r': {"text": "a"},
    b"null": None,
    b"[]": None,
    b"": None,
}
"""What is odd rather than big, and what has to come back of it; None where it is to be refused.

JSON of two keys of one name means the last of them, as nearly everywhere.
"""
_TIMES = 24
"""How many times a message's size a command may take in memory, beside what it takes anyway.

The message, its event and the state that it leads to, which has the text twice, are each written as JSON, read from it
and compared with what they were.
"""
_ANYWAY = 100 * 2**20
_PATTERN = "ab\u00e9\x1b"  # of ten bytes in JSON


class Way(NamedTuple):
    """How a message comes in: the words of a command, and what the file that they name has around it."""

    words: tuple[str, ...]
    before: bytes = b""
    after: bytes = b""


WAYS: Mapping[str, Way] = {
    "--data @FILE": Way(("send", "chest:@a", "put-in", "--data", "@big")),
    "--data -": Way(("send", "chest:@a", "put-in", "--data", "-")),
    "--file FILE": Way(("send", "--file", "big"), b'{"to":"chest:@a","message":"put-in","data":', b"}\n"),
    "--file -": Way(("send", "--file", "-"), b'{"to":"chest:@a","message":"put-in","data":', b"}\n"),
}


def on_both(run: Run) -> Figure:
    """Send big messages on SQLite by every way, and on Postgres by one of each kind."""
    load_everything()
    size = run.size(100, quick=10) * 2**20
    odd_ways = ["--data -", "--file -"][run.size(0, quick=1) :]
    numbers: dict[str, Any] = {"bytes of a message": size}
    breaches: list[Breach] = []
    for store, url, ways in (
        ("sqlite", "sqlite:///pachyderm.db", list(WAYS)),
        ("postgres", run.postgres_url(), ["--data @FILE", "--file -"]),
    ):
        place = run.folder(f"sizes-{store}")
        make(place, url)
        kept = most = 0
        for number, name in enumerate(ways):
            found, done = strike(place, WAYS[name], size + number)
            breaches += [Breach(law, f"{store}: {name}: {what}") for law, what in found]
            kept += done.status == 0
            most = max(most, done.memory // 2**20)
        numbers |= {f"kept on {store}": kept, f"MiB of memory at most, {store}": most}
        breaches += [Breach(law, f"{store}: {what}") for law, what in odd(place, odd_ways)]
    numbers["odd messages on each"] = len(ODD) * len(odd_ways)
    return Figure(NAME, numbers, breaches)


def make(place: Path, url: str) -> None:
    """Make a project on that store."""
    (place / "entities").mkdir()
    shutil.copy(chest.__file__, place / "entities" / "chest.py")
    (place / "pachyderm.toml").write_text(f"[store]\nurl = {json.dumps(url)}\n")


def strike(place: Path, way: Way, size: int) -> tuple[list[Breach], Done]:
    """Send a message of that size; return the breaches, and what the command answered."""
    text = _PATTERN * (size // 10)
    (place / "big").write_bytes(way.before + json.dumps({"text": text}, ensure_ascii=False).encode() + way.after)
    stdin = (place / "big").read_bytes() if way.words[-1] == "-" else b""
    before = versions(place)
    done = command(place, *way.words, "--json", stdin=stdin)
    found = breaches_of(done, {}, {})
    if done.status != 0:
        found.append(Breach("each_way_is_kept", f"{size:,} bytes: {done.status}: {done.err[-300:]}"))
        return found if versions(place) == before else [*found, Breach("no_partial_write", "a version")], done
    read = command(place, "history", "chest:@a", "--json", "--reverse", "--limit", "1")
    if read.status or json.loads(read.out)["data"]["text"] != text:
        found.append(Breach("it_comes_back_the_same", f"{read.status} {read.err[-300:]}"))
    if done.memory > _TIMES * size + _ANYWAY:
        found.append(Breach("memory_is_bounded", f"{done.memory:,} bytes for {size:,}"))
    return found, done


def versions(place: Path) -> str:
    """Return which versions there are."""
    return command(place, "list", "--json").out


def odd(place: Path, ways: Sequence[str]) -> list[Breach]:
    """Send what is odd rather than big, in these ways; what is kept comes back the same, and the store is whole."""
    found = []
    after = versions(place)
    for text, back in ODD.items():
        for way in map(WAYS.__getitem__, ways):
            (place / "big").write_bytes(way.before + text + way.after)
            stdin = (place / "big").read_bytes() if way.words[-1] == "-" else b""
            done = command(place, *way.words, "--json", stdin=stdin)
            before, after = after, versions(place)
            what = f"{way.words} {text[:60]!r}"
            found += [Breach(law, f"{what}: {told}") for law, told in breaches_of(done, {}, {})]
            if (done.status == 0) != (back is not None):
                found.append(Breach("taken_or_refused", f"{what}: {done.status} {done.err[-300:]}"))
            if done.status and after != before:
                found.append(Breach("no_partial_write", what))
            if back is not None:
                read = command(place, "history", "chest:@a", "--json", "--reverse", "--limit", "1")
                data = json.loads(read.out)["data"] if read.status == 0 else {}
                if back.items() - _plain(data).items():
                    found.append(Breach("it_comes_back_the_same", f"{what}: {read.err[-300:]}"))
    verified = command(place, "store", "verify")
    return [*found, *([Breach("the_store_is_whole", verified.out[-500:])] if verified.status else [])]


def _plain(data: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that can be told apart by being equal, and the others as JSON."""
    return {name: json.dumps(value) if isinstance(value, dict | list) else value for name, value in data.items()}
