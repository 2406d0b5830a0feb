"""`send --file` through the real command, against the peer's one sender."""

import json
import random
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from benchmarks import command
from benchmarks.contenders.contender import WrongOutcome, require_count, send_in_turn, sending_rate
from benchmarks.contenders.engine import count_events, store_url
from benchmarks.contenders.peer import VARIANTS, Peer, PeerDatabase, beside_peers
from benchmarks.results import Figure
from benchmarks.rounds import alternate
from benchmarks.run import Run
from pachyderm_cli.domain.identifiers import new_message_id

_ENTITIES = 1000
_NAME = "send-file-sqlite"


def on_sqlite(run: Run) -> Figure:
    """Measure on SQLite: the whole process counts, its start too, and every round begins with no store at all."""
    sizes, places = run.sizes, run.places
    file = places.folder / "messages.jsonl"
    _write(file, sizes.file_messages)
    peers = [Peer(PeerDatabase.sqlite(places.sqlite_file()), sizes.entities, variant) for variant in VARIANTS]
    with ExitStack() as stack:
        turns: dict[str, Callable[[], float]] = {}
        for each in peers:
            stack.callback(each.close)
            send_in_turn(each, sizes.entities, sizes.entities)
            turns[each.name] = partial(sending_rate, each, sizes.sends, sizes.entities)
        turns["pachyderm send --file"] = lambda: _send_file(run, file)
        series = alternate(turns, "sends/s", sizes.file_rounds)
        for each in peers:
            run.read_back(_NAME, each)
            require_count(each, sizes.entities + sizes.sends * sizes.file_rounds)
    ours = series["pachyderm send --file"]
    title = f"send --file, {sizes.file_messages:,} messages with ids to {_ENTITIES:,} entities, SQLite"
    return Figure(_NAME, title, tuple(series.values()), beside_peers(ours, series.values(), at_least=8))


def _send_file(run: Run, file: Path) -> float:
    """Return how many messages a second the command handles."""
    messages = run.sizes.file_messages
    store = run.places.sqlite_file()
    handled = f"{messages} handled"
    taken = command.milliseconds(command.on_store(store_url(store), "send", "--file", str(file)), handled)
    if count_events(str(store)) != messages:
        raise WrongOutcome(f"send --file wrote {count_events(str(store))} events where {messages} were sent")
    if f"{_NAME}: pachyderm send --file" not in run.settings:
        one = file.with_suffix(".one")
        _write(one, 1)
        run.note(_NAME, "pachyderm send --file", command.settings_of(store_url(store), "send", "--file", str(one)))
    run.places.drop_sqlite(store)
    return messages / taken * 1000


def _write(file: Path, messages: int) -> None:
    """Write the messages: as many to each entity, in an order that mixes them, each with its id."""
    order = [number % _ENTITIES for number in range(messages)]
    random.Random(3).shuffle(order)  # noqa: S311 - the same order in every run
    with file.open("w") as lines:
        for entity in order:
            line = {"to": f"counter:@e{entity}", "message": "increment", "data": {"amount": 1}}
            lines.write(json.dumps({**line, "id": str(new_message_id())}) + "\n")
