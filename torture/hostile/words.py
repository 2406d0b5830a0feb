"""Hypothesis strategies for the texts that commands and files are made of: what is meant, and what nobody means.

Words of a command line have no NUL and no surrogates but those that stand for bytes: no system could hand them over. No
word has a slash that was not put there, so that nothing outside of a run's folder is ever named.
"""

from uuid import UUID

from hypothesis import strategies as st

LONG_NUMBER = "7" * 10_000
NAMED = ("a", "b", "c")
"""The entities that every store begins with, by name."""

HOSTILE = (
    "",
    " ",
    "\x1b[2J",
    "\x1b]0;title\x07",
    "\x1b]8;;http:x\x1b\\link\x1b]8;;\x1b\\",
    "\x9b31m",
    "\u202eabc\u202c",
    "\u2066x\u2069",
    "a\rb",
    "a\nerror: b",
    "a\b\b\bb",
    "\x7f",
    "\x85\u2028\u2029",
    "\ufeff",
    "\udcff\udcfe",
    "e\u0301\u200d\U0001f468\u200d\U0001f469",
    "象🐘\U0010ffff\ufffe",
    "[red]x[bold]",
    "'; DROP TABLE pachyderm_events; --",
    "%s%n%00",
    "{}{0}{a.b}",
    "$(id)`id`${HOME}",
    "\\x00\\u0000",
    "NaN",
    "-Infinity",
    "1e999999999999999999",
    "1e400",
    "-0.0",
    "0x10",
    "1_000",
    "٣٤",
    "null",
    "true",
    LONG_NUMBER,
    "9" * 19,
    "-1",
    "--",
    "-",
    "@",
    "[" * 5000,
    '{"a":' * 5000,
    "x" * 20_000,
    "..",
)
"""Pieces that some reader of text somewhere stumbled over."""

hostile = st.sampled_from(HOSTILE)
_characters = st.characters(
    exclude_characters="\0/~", categories=("L", "M", "N", "P", "S", "Z", "Cc", "Cf", "Co", "Cn")
)
noise = st.one_of(hostile, st.text(_characters, max_size=12), st.lists(hostile, min_size=2, max_size=3).map("".join))
"""A word that means nothing."""


def mostly(*meant: str) -> st.SearchStrategy[str]:
    """Return one of what is meant, or now and then noise, or what is meant with noise in it."""
    known = st.sampled_from(meant)
    return st.one_of(known, known, known, known, noise, st.tuples(known, hostile).map("".join))


uuids = st.one_of(
    st.uuids().map(str),
    st.integers(0, 3).map(lambda number: str(UUID(int=number))),
    mostly("{12345678-1234-5678-1234-567812345678}", "urn:uuid:12345678123456781234567812345678", "1234"),
)
types = mostly("chest", "chest", "chest", "Chest", "chest.chest", "_", "import", "os.path", "__init__")
names = mostly("letters", "default", "red", "NAME")
references = st.one_of(
    st.sampled_from([f"chest:@{name}" for name in NAMED]),
    st.tuples(types, st.just(":"), st.one_of(uuids, mostly("new", "@a", "@b", "abcd", "0000-"))).map("".join),
    st.one_of(uuids, noise, mostly("new", "@a", "chest:", ":", "::")),
)
numbers = st.one_of(
    st.integers(-3, 12).map(str),
    st.sampled_from([str(2**power + step) for power in (31, 32, 53, 62, 63, 64) for step in (-1, 0, 1)]),
    mostly("0", "1", LONG_NUMBER),
)
times = st.one_of(
    st.datetimes().map(lambda each: each.isoformat()),
    st.datetimes(timezones=st.timezones()).map(lambda each: each.isoformat()),
    mostly("2026-01-31", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-W01-1", "24:00", "now"),
)
paths = mostly(
    "text", "count", "content.whole", "content.tags.0", "content.anything.a", "content.place.city", ".", "-count"
)
values = st.one_of(numbers, times, noise, mostly("abc", "true", "[1, 2]", '{"city": "Rome"}', "null", "small"))
conditions = st.one_of(
    st.tuples(paths, mostly("=", "!=", "<", ">=", "=="), st.one_of(values, mostly("'a'", '"1"', "null"))).map("".join),
    noise,
)
fields = st.one_of(
    st.tuples(
        mostly(
            "text", "whole", "exact", "real", "sure", "day", "moment", "tags", "place", "anything", "size", "reason"
        ),
        st.just("="),
        values,
    ).map("".join),
    noise,
)
messages = mostly("put-in", "PutIn", "put_in", "put-in", "put-in", "refuse", "crash", "ring", "find", "bell")
questions = mostly("find", "Find", "put-in")
statuses = mostly("pending", "parked", "done", "discarded", "rejected", "failed")
_hosts = mostly("127.0.0.1:1", "[::1]:1", "127.0.0.1:1,127.0.0.1:2", "@", "a@b", ":", "[", "[]:x", ",")
urls = st.one_of(
    mostly("sqlite:///other.db", "sqlite:///pachyderm.db", "SQLITE:///other.db", "sqlite://", "sqlite:///:memory:"),
    st.tuples(st.just("sqlite:///"), noise).map("".join),
    st.tuples(
        mostly("postgresql+psycopg", "postgresql", "postgres", "mysql", "sqlite"),
        st.just("://"),
        mostly("", "user@", "user:secret@", "user:se%40cret@", "user:%zz@"),
        _hosts,
        mostly("", "/db", "/", "/db?sslmode=disable", "/db?connect_timeout=x", "/db?host=", "?port=x&host=127.0.0.1"),
    ).map("".join),
    noise,
)
FILES = ("document.json", "lines.jsonl", "export.jsonl", "\x1b[31mred\r.json")
"""The files that are there, with what is generated in them."""
_PLACES = ("none.json", ".", "entities", "empty", "pachyderm.toml", "/dev/null", "/dev/full", "-")
files = mostly(*FILES, *_PLACES)
new_files = mostly(
    "copy.db", "copy.jsonl", "\x1b[31mcopy\r", "none/copy", ".", "empty", "pachyderm.toml", "pachyderm.db", "-"
)
folders = mostly("entities", "new", "none", ".", "empty", "\x1b[31mnew\r")
commands = st.sampled_from(["true", "cat", "", "exit 0"])
few = st.sampled_from(["1", "2", "0", "-1", "x", LONG_NUMBER])
"""How many processes, threads or examples there are to be: not as many as the machine has no room for."""

BY_METAVAR = {
    **dict.fromkeys(["REF", "[REF]", "REF2|new", "ID", "[ID]", "ID|REF"], references),
    **dict.fromkeys(["A|REF2"], st.one_of(numbers, references)),
    **dict.fromkeys(["N", "V", "VERSION", "POSITION", "[B]"], numbers),
    **dict.fromkeys(["TYPE", "[TYPE]"], types),
    **dict.fromkeys(["NAME", "[NAME]"], names),
    **dict.fromkeys(["FIELD", "FIELDS"], paths),
    "MESSAGE": messages,
    "QUESTION": questions,
    "[FIELD=VALUE]...": fields,
    "KEY=VALUE": fields,
    "UUID": uuids,
    "TIME": times,
    "CONDITION": conditions,
    "STATUS": statuses,
    "URL": urls,
    "TEXT": noise,
    "COMMAND": commands,
    "DIR": folders,
    "[DIR]": folders,
    "PATH|-": files,
    "FILE": files,
    "JSON|@FILE|-": st.one_of(files.map("@".__add__), st.just("-"), values),
}
"""What a parameter takes, by what its command calls it. A KeyError is one that is new: say here what it takes."""
SPECIAL = {
    ("replay", "--jobs"): few,
    ("worker", "--concurrency"): few,
    ("check", "--max-examples"): few,
    ("backup", "FILE"): new_files,
    ("export", "--output"): new_files,
}
"""What it takes in one command."""
