"""Making sure of what is found in the log before it is answered as done, or handed on."""

from __future__ import annotations

from pachyderm_cli.store.statement import Statements, Transaction

_said = Statements("confirming")


def confirm(transaction: Transaction) -> None:
    """Return once what was read on this connection is as safe as a commit of one's own; not inside of a transaction.

    A Postgres server with a synchronous standby lets others see a commit before the standby has it, where the session
    was ended while it waited for that, and after a crash. A commit of one's own waits for all before it: on the same
    connection, since the next may be to the standby that has taken over. In a SQLite file nothing is seen that is not
    on disk.
    """
    if not transaction.is_sqlite:
        transaction.rows(_said.COMMIT_ANYTHING, {})
