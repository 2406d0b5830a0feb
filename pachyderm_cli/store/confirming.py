"""Making sure of what was found in the log before it is answered as done."""

from __future__ import annotations

from sqlalchemy import text

from pachyderm_cli.store.statement import Statement
from pachyderm_cli.store.store import Store

# Something to commit: whoever changed nothing need not wait.
_ANYTHING = Statement(text("SELECT CAST(pg_logical_emit_message(true, 'pachyderm', '') AS text)"))


def confirm(store: Store) -> None:
    """Return once all that can be read now is as safe as a commit of one's own. Raises StoreError.

    A Postgres server with a synchronous standby lets others see a commit before the standby has it, where the session
    was ended while it waited for that, and after a crash. A commit of one's own waits for all before it. In a SQLite
    file nothing can be seen that is not on disk.
    """
    if not store.is_sqlite:
        store.write_again(lambda transaction: transaction.rows(_ANYTHING, {}), durable=True)
