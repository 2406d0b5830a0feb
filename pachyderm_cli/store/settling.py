"""Marking effects done, inside a transaction that does more."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pachyderm_cli.store.acknowledgements import Acknowledged
from pachyderm_cli.store.records import Held
from pachyderm_cli.store.statement import Statement, Statements, Transaction

_said = Statements("outbox")


def settle(transaction: Transaction, network: str, held: Held) -> bool:
    """Mark an effect done inside the caller's transaction; tell whether its lease still held."""
    return transaction.count(_said.SETTLE, key_of(network, held)) == 1


def settle_each(transaction: Transaction, marks: Iterable[Acknowledged]) -> None:
    """Mark effects done whose leases still hold, inside the caller's transaction."""
    transaction.run_many(_said.SETTLE, [parameters for _, parameters in settling(marks)])


def settling(marks: Iterable[Acknowledged]) -> list[tuple[Statement, dict[str, Any]]]:
    """Return the statements that mark effects done, with their parameters.

    They are in one order, so that no two of those who run them wait for each other.
    """
    return [(_said.SETTLE, key_of(*mark)) for mark in sorted(marks, key=lambda mark: mark.held.id.int)]


def mark_parameters(mark: Acknowledged) -> dict[str, Any]:
    """Return what an append's one statement for Postgres takes to mark an effect done."""
    return {f"done_{name}": value for name, value in key_of(*mark).items()}


def key_of(network: str, held: Held) -> dict[str, Any]:
    """Return the parameters that name an effect and the lease that it is held under."""
    return {"network": held.network or network, "id": str(held.id), "held_by": str(held.lease.token)}
