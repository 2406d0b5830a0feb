"""Networks to be moved, with something of everything in them, and what of a store is the same after a move."""

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import select

from pachyderm_cli import Pachyderm
from pachyderm_cli.store.exchange import KINDS, footer_line
from pachyderm_cli.store.schema import cursors, entities, events, forks, outbox
from tests.support.courier import Do, Pass, Post, Remind, Tell
from tests.support.office import Office
from tests.support.raw import connected

TABLES = (entities, events, outbox, forks, cursors)


def furnish(office: Office, **options: Any) -> Pachyderm:
    """Return an engine on a network with effects of every status, a timer, a fork, cursors and an erased entity."""
    engine = office.open(**options)
    engine.send(
        "courier:@a", Do(note='ünï \U0001f418 \u2028 \u0000 "\\', orders=(Post(text="told"), Tell(text="once")))
    )
    office.world.failing.add("parked")
    engine.send("courier:@b", Do(note="p", orders=(Post(text="parked"),)))
    for _ in range(3):
        office.pass_time(10_000, engine.network)
        list(engine.work(once=True))
    engine.send("courier:@a", Do(note="r", orders=(Pass(to="courier:@b", errand=Do(note="no", answer="refuse")),)))
    engine.send("courier:@a", Do(note="t", orders=(Remind(name="later", errand=Do(note="late"), after=1e6),)))
    engine.send("courier:@b", Do(note="d", orders=(Remind(name="never", errand=Do(note="?"), after=1e6),)))
    engine.discard_effect(engine.timer("courier:@b", "never").id, why="not any more")
    engine.send("courier:@b", Do(note="w", orders=(Post(text="waits"),)), effects=False)
    engine.fork("courier:@a", to="courier:@fork", to_version=2)
    engine.send("courier:@gone", Do(note="secret"))
    engine.send("porter:@c", Do(note="x"))
    last = max(each.position for each in engine.history("porter:@c"))
    engine.set_cursor("zero", 0)
    engine.set_cursor("some", last - 2)
    engine.set_cursor("end", last)
    engine.erase("courier:@gone", why="asked to")
    engine.set_cursor("beside", last)
    return engine


def exported(engine: Pachyderm, **chosen: Any) -> list[str]:
    """Return the lines of an export."""
    return list(engine.export(**chosen))


def rows(store_url: str, network: str = "default", tables: Iterable[Any] = TABLES) -> dict[str, list[dict[str, Any]]]:
    """Return every row of a network, without the network."""
    found = {}
    with connected(store_url) as connection:
        for table in tables:
            statement = select(*(each for each in table.c if each.name != "network")).where(table.c.network == network)
            its = [dict(row._mapping) for row in connection.execute(statement)]
            found[table.name] = sorted(its, key=repr)
    return found


def with_footer(lines: list[str]) -> list[str]:
    """Return an export of these lines, whatever they were: with a footer that is true of them."""
    body = [line for line in lines if not line.startswith('{"end"')]
    kinds = [next(iter(json.loads(line))) for line in body[1:]]
    counts = {kind.plural: kinds.count(kind.name) for kind in KINDS}
    return [*body, footer_line(counts, hashlib.sha256("".join(body).encode()).hexdigest())]
