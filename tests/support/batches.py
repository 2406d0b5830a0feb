"""Batches for tests: how to write them down, what became of them, and other writers that come in between."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from pachyderm_cli import Message, Pachyderm
from pachyderm_cli.engine import batch
from pachyderm_cli.engine.deciding import Request
from pachyderm_cli.engine.results import Sent
from pachyderm_cli.errors import PachydermError
from pachyderm_cli.store.append import append_all
from pachyderm_cli.store.records import Append
from pachyderm_cli.store.statement import Transaction
from pachyderm_cli.store.store import Store


def requests(engine: Pachyderm, *messages: tuple[str, Message | str]) -> list[Request]:
    """Return the requests for messages and whom they are for."""
    return [engine.request(reference, message) for reference, message in messages]


def brief(outcomes: Sequence[Sent | PachydermError]) -> list[Any]:
    """Return the version that each message led to, or the type of its error."""
    return [each.version if isinstance(each, Sent) else type(each) for each in outcomes]


def all_sent(outcomes: Sequence[Sent | PachydermError]) -> list[Sent]:
    """Return the outcomes, none of them an error."""
    for each in outcomes:
        if isinstance(each, PachydermError):
            raise each
    return [each for each in outcomes if isinstance(each, Sent)]


def history(engine: Pachyderm, reference: str) -> list[tuple[int, str]]:
    """Return the versions and data of an entity's events."""
    return [(event.version, event.data) for event in engine.history(reference)]


def before_commits(monkeypatch: pytest.MonkeyPatch, interfere: Callable[[], object], times: int = 1) -> list[int]:
    """Let `interfere` happen between decision and commit of a batch, so often.

    Return the list of how many each attempt is to write; a message that is sent alone is not in it.
    """
    attempts: list[int] = []

    def overtaken(store: Store, network: str, appends: Sequence[Append]) -> list[int]:
        attempts.append(len(appends))
        if len(attempts) <= times:
            interfere()
        return append_all(store, network, appends)

    monkeypatch.setattr(batch, "append_all", overtaken)
    return attempts


def transactions(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the list of all BEGIN, COMMIT and the like that connections will be told."""
    said: list[str] = []
    run = Transaction.run

    def seen(transaction: Transaction, sql: str) -> None:
        said.append(sql.split(maxsplit=1)[0])
        run(transaction, sql)

    monkeypatch.setattr(Transaction, "run", seen)
    return said
