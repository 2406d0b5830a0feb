"""Hostile commands: thousands of generated command lines, and the files that they read, each held to the contract."""

import json
import os
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from pachyderm_cli import Pachyderm
from torture.figure import Figure, Run
from torture.hostile import chest, documents, lines, words
from torture.hostile.judging import breaches_of
from torture.judge.history import History, read_tables
from torture.judge.laws import Breach, versions_have_no_gap
from torture.load.commands import Done, command, load_everything
from torture.load.crew import in_processes
from torture.load.notes import note, notes
from torture.load.tables import tables_of

NAME = "hostile input, commands"
STORE = "pachyderm.db"
_ROUND = 125  # commands until the next new store
_PROCESSES = 2
_ERASED = "$erased"
_OWN = "default"  # the network that nothing was imported into
_TOML = b'[store]\nwait_seconds = 0.2\n[lookup]\ntypes = ["chest"]\n'


class Case(NamedTuple):
    """A command line, the files that it finds, its standard input, the project's own file, and whether output goes."""

    kind: str
    line: tuple[str, ...]
    file: bytes = b""
    stdin: bytes = b""
    toml: bytes = _TOML
    output_is_full: bool = False


def on_sqlite(run: Run) -> Figure:
    """Generate inputs by the run's seed, and run the command on each of them."""
    folder = run.folder("hostile")
    rounds = run.size(20_000, quick=500) // _ROUND
    load_everything()
    in_processes([partial(_share, folder, run, range(part, rounds, _PROCESSES)) for part in range(_PROCESSES)])
    counts: Counter[str] = Counter()
    breaches: list[Breach] = []
    for told in notes(folder / "found.jsonl"):
        counts.update(told["numbers"])
        breaches += [Breach(*each) for each in told["breaches"]]
    return Figure(NAME, dict(sorted(counts.items(), key=lambda each: -each[1])), breaches)


def _share(folder: Path, run: Run, numbers: range) -> None:
    """Do some of the rounds, each with a store of its own."""
    for number in numbers:
        counts: Counter[str] = Counter()
        place = folder / str(number)
        breaches = one_round(place, f"{run.seed}:{number}", _ROUND, counts)
        note(
            folder / "found.jsonl", {"numbers": counts, "breaches": [(law, what[:2000]) for law, what in breaches[:20]]}
        )
        shutil.rmtree(place)
        run.progress(number + 1, numbers[-1] + 1)


def one_round(place: Path, chances: str, size: int, counts: Counter[str]) -> list[Breach]:
    """Make a project with a store, run generated commands in it, and judge each, and what is left in the end."""
    exported = make(place)
    os.environ["HOME"] = str(place)
    found: list[Breach] = []
    before = tables_of(place / STORE)

    def strike(case: Case) -> None:
        nonlocal before
        done = _run(place, case)
        after = tables_of(place / STORE)
        found.extend(Breach(law, f"{case.kind}: {what}") for law, what in breaches_of(done, before, after))
        counts[f"{case.kind} inputs"] += 1
        counts[f"ended with {done.status}"] += 1
        counts["outputs that take nothing"] += case.output_is_full
        before = after

    each_of(cases(exported), strike, chances, size)
    (place / "pachyderm.toml").write_bytes(_TOML)
    return [*found, *_left_whole(place)]


def each_of(strategy: st.SearchStrategy[Any], strike: Callable[[Any], None], chances: str, size: int) -> None:
    """Do something with so many values; the same ones for the same chances."""
    number = Random(chances).getrandbits(64)  # noqa: S311 - chances, no secrets
    plain = settings(
        max_examples=size,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    seed(number)(plain(given(strategy)(strike)))()


def make(place: Path) -> list[bytes]:
    """Make a project whose store has some of everything, hostile texts among it; return the lines of its export."""
    (place / "entities").mkdir(parents=True)
    shutil.copy(chest.__file__, place / "entities" / "chest.py")
    (place / "pachyderm.toml").write_bytes(_TOML)
    (place / "empty").touch()
    with Pachyderm.open(place) as engine:
        for name in words.NAMED:
            for text in ("abc", "\x1b[2J\x9b\u202e\r\n\b\x85", '{"a": "\\u001b"}'):
                engine.send(f"chest:@{name}", "put-in", {"text": text, "anything": {text: [text]}, "tags": [text]})
            engine.send(f"chest:@{name}", "ring", {"text": "\x1b]0;t\x07\u202e"})
        engine.fork("chest:@a", to="chest:@fork")
        engine.snapshot("chest:@b")
        with engine.follow(cursor="letters", wait=False) as log:
            for _ in log:
                pass
            log.commit()
        return [line.encode() for line in engine.export()]


def cases(exported: list[bytes]) -> st.SearchStrategy[Case]:
    """Return the strategy for all kinds of input."""
    line = lines.command_lines(lines.shapes())
    file = st.one_of(documents.documents(), documents.line_files())
    json_flag = st.sampled_from([(), ("--json",)])
    way = st.sampled_from(["@document.json", "-"])
    full = st.sampled_from([False] * 3 + [True])
    reads = st.sampled_from([("inspect",), ("history",), ("replay",), ("timers", "list"), ("snapshot",)])

    def kind(name: str, *parts: st.SearchStrategy[Any], **values: st.SearchStrategy[Any]) -> st.SearchStrategy[Case]:
        words_of = st.tuples(*parts, json_flag).map(lambda drawn: tuple(word for part in drawn for word in part))
        nothing = {"file": st.just(b""), "stdin": st.just(b""), "toml": st.just(_TOML), "output_is_full": full}
        return st.builds(Case, st.just(name), words_of, **{**nothing, **values})

    return st.one_of(
        kind("command", line, file=file, stdin=file),
        kind("command", line, file=file, stdin=file),
        kind(
            "JSON",
            st.tuples(st.sampled_from(["send", "try"]), st.just("chest:@a"), words.messages, st.just("--data"), way),
            file=(document := documents.documents()),
            stdin=document,
        ),
        kind(
            "JSON Lines",
            st.tuples(st.just("send"), st.just("--file"), st.sampled_from(["document.json", "-"])),
            st.sampled_from([(), ("--keep-going",)]),
            file=(many := documents.line_files()),
            stdin=many,
        ),
        kind(
            "import",
            st.sampled_from([("--network", "other"), ("--network", "red"), ()]),
            st.tuples(st.just("import"), st.sampled_from(["document.json", "-"])),
            st.sampled_from([(), (), ("--resumable",), ("--abandon",)]),
            file=(export := documents.exports(exported)),
            stdin=export,
        ),
        kind(
            "TOML",
            st.sampled_from([("list",), ("networks",), ("send", "chest:@a", "put-in")]),
            toml=documents.project_files(),
        ),
        kind("reference", reads, st.tuples(words.references)),
        kind("condition", st.just(("list", "--type", "chest", "--where")), st.tuples(words.conditions)),
        kind("time", st.just(("replay", "chest:@a", "--at")), st.tuples(words.times)),
        kind(
            "store URL", st.just(("--store",)), st.tuples(words.urls), st.sampled_from([("list",), ("store", "status")])
        ),
    )


def unsound(verified: str) -> Iterator[dict[str, Any]]:
    """Yield what `store verify --json` found, but for events that an import brought and no code here can read."""
    for line in verified.splitlines():
        found = json.loads(line)
        if "problem" in found and (found["check"] != "fold" or found["network"] == _OWN):
            yield found


def _run(place: Path, case: Case) -> Done:
    for name in words.FILES:
        (place / name).write_bytes(case.file)
    (place / "pachyderm.toml").write_bytes(case.toml)
    return command(place, *case.line, stdin=case.stdin, output_is_full=case.output_is_full)


def _left_whole(place: Path) -> Iterator[Breach]:
    """What is left is whole: by its own verification, and by the history checker, which knows none of that."""
    verified = command(place, "store", "verify", "--all-networks", "--json")
    if verified.status not in (0, 9):
        yield Breach("the_store_is_whole", f"{verified.out[-500:]} {verified.err[-500:]}")
    yield from (Breach("the_store_is_whole", json.dumps(each)[:500]) for each in unsound(verified.out))
    sent = command(place, "send", "chest:@a", "put-in", "text=last")
    if sent.status:
        yield Breach("it_goes_on", sent.err[-500:])
    history = History()
    read_tables(history, f"sqlite:///{place / STORE}")
    with closing(sqlite3.connect(place / STORE)) as database:
        erased = set(database.execute("SELECT network, id FROM pachyderm_entities WHERE type = ?", (_ERASED,)))
    history.rows = [row for row in history.rows if row.whose not in erased]
    history.heads = {whose: version for whose, version in history.heads.items() if whose not in erased}
    yield from (Breach(versions_have_no_gap.__name__, what) for what in versions_have_no_gap(history))
