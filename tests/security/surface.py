"""The whole command line, each command with values that are told apart wherever they turn up again."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pachyderm_cli.cli.catalogue import Catalogue
from tests.cli.running import Command, Result

CORE = "zq7"
"""Is in every text below, however that is quoted or encoded."""

TEXT = f"""{CORE}'"; DROP TABLE pachyderm_events; -- %s %(x)s :x ?"""
NETWORK = f"{CORE} 'net\"work; --"
OTHER_NETWORK = f"{CORE} ;other"
TYPE = f"{CORE}_type"
MESSAGE_ID = "5e9a1b7c-3d2f-4c68-8b1e-7f00dead7f00"
NUMBER = 771177

VALUES = (CORE, MESSAGE_ID, str(NUMBER))
"""What is looked for."""

_LINE = {"to": f"courier:@{TEXT}", "message": "post", "data": {"text": TEXT, "failing": 0}}


@dataclass(frozen=True)
class Call:
    """A call of the command: its arguments, and what is on its standard input."""

    arguments: tuple[str, ...]
    stdin: str = ""


def _call(*arguments: Any, stdin: str = "") -> Call:
    return Call(tuple(map(str, arguments)), stdin)


def calls() -> Iterator[Call]:
    """Yield calls of every command, in an order in which most find what they ask for."""
    box, courier, purse = (f"{each}:@{TEXT}" for each in ("box", "courier", "purse"))
    yield _call("init", "made")
    yield _call("send", courier, "post", f"text={TEXT}", "--id", MESSAGE_ID, "--config", f"k={TEXT}", "--expect", 0)
    yield _call("send", box, "put-in", "--data", json.dumps({"text": TEXT, "whole": NUMBER, "tags": [TEXT]}))
    yield _call("send", box, "weigh", f"grams={NUMBER}")
    yield _call("send", box, "refuse", f"reason={TEXT}")
    yield _call("send", box, "look", "--expect", NUMBER)
    yield _call("send", "--file", "-", "--keep-going", stdin=f"{json.dumps(_LINE)}\n{json.dumps(TEXT)}\n")
    yield _call("send", purse, "own", f"name={TEXT}", f"city={TEXT}")
    yield _call("send", courier, "remind", f"name={TEXT}", "seconds=86400")
    yield _call("send", courier, "risk", f"text={TEXT}")
    yield _call("send", courier, "forward", f"to={box.replace('box', 'courier')}2", f"text={TEXT}")
    yield _call("send", courier, "forward", f"to={courier}", f"text={TEXT}", f"network={OTHER_NETWORK}")
    yield _call("try", box, "weigh", f"grams={NUMBER}", "--at-version", 1)
    yield _call("query", purse, "how-much", f"times={NUMBER}")
    yield _call("history", box, "--from", 1, "--to", NUMBER, "--limit", NUMBER, "--reverse")
    yield _call("history", courier, "--causes")
    yield _call("follow", "--from", 1, "--once", "--cursor", TEXT, "--type", "courier")
    yield _call("follow", "--from-start", "--once", "--entity", box, "--exec", "cat > seen", "--max-attempts", 1)
    yield from (_call("inspect", each) for each in (box, courier, purse, f"{TYPE}:@{TEXT}", MESSAGE_ID))
    yield _call("replay", box, "--steps", "--from-version", 1, "--to-version", 2)
    yield _call("replay", box, "--at", "2100-01-01")
    yield _call("replay", "--all", "--jobs", 2, "--type", "box")
    yield _call("diff", box, 1, 2)
    yield _call("fork", box, "--to-version", 1, "--to", f"{box}fork")
    yield from (_call("snapshot", box, *each) for each in ((), ("--list",), ("--drop",)))
    yield _call("snapshot", "--all", "--type", "purse")
    yield _call("list", "--type", "purse", "--where", f"owner.name={TEXT}", "--sort", "owner.name", "--show", "owner")
    yield _call("list", "--type", TYPE, "--limit", NUMBER)
    yield from (_call(each) for each in ("networks", "describe"))
    yield _call("describe", "box")
    yield _call("check", "counter", "--max-examples", 1)
    yield from _outbox(courier)
    yield from _cursors()
    yield from _moving(box)
    yield _call("erase", box, "--why", TEXT, "--yes", "--scrub")
    yield _call("inspect", box)
    yield from (_call("store", each) for each in ("migrate", "status", "scrub"))
    yield _call("store", "verify", "--type", "courier")
    yield _call("store", "verify", "--all-networks")


def _outbox(courier: str) -> Iterator[Call]:
    yield _call("effects", "list", "--limit", NUMBER)
    yield _call("effects", "list", "--status", "parked")
    yield _call("effects", "show", MESSAGE_ID)
    yield _call("effects", "retry", "--all")
    yield _call("effects", "discard", MESSAGE_ID, "--why", TEXT, "--yes")
    yield _call("worker", "--once")
    yield _call("timers", "list", courier)
    yield _call("timers", "cancel", courier, TEXT, "--why", TEXT)


def _cursors() -> Iterator[Call]:
    yield _call("cursors", "set", TEXT, 2)
    yield _call("cursors", "list")
    yield _call("cursors", "drop", TEXT, "--yes")


def _moving(box: str) -> Iterator[Call]:
    yield _call("backup", "backup.db")
    yield _call("export", "--output", "all.jsonl")
    yield _call("export", "--type", "box", "--output", "-")
    yield _call("export", "--entity", box, "--output", "-")
    yield _call("copy", "--to", "sqlite:///copy.db", "--to-network", OTHER_NETWORK)
    yield _call("--network", f"{NETWORK}2", "--store", "sqlite:///imported.db", "import", "all.jsonl")
    yield _call("--network", f"{NETWORK}3", "--store", "sqlite:///parts.db", "import", "all.jsonl", "--resumable")
    yield _call("--network", f"{NETWORK}3", "import", "--abandon")


def names() -> set[tuple[str, ...]]:
    """Return the names of all commands that there are."""

    def below(command: Any, name: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        if not getattr(command, "commands", None):
            yield name
        for inner, each in getattr(command, "commands", {}).items():
            yield from below(each, (*name, inner))

    return {found for name, command in Catalogue().items() for found in below(command, (name,))}


def run_all(command: Command, *options: str, as_json: bool = False, **settings: str) -> Iterator[tuple[Call, Result]]:
    """Run every call in the command's folder, and yield what came of it."""
    for call in calls():
        last = ("--json",) if as_json else ()
        yield call, command.quick(*options, *call.arguments, *last, stdin=call.stdin, **settings)
