"""What is said to Postgres to make sure of what is found."""

from __future__ import annotations

from sqlalchemy import text

# Something to commit: whoever changed nothing need not wait. Nobody waits where there is no standby to wait for.
COMMIT_ANYTHING = text(
    "SELECT CASE WHEN current_setting('synchronous_standby_names') <> '' "
    "THEN CAST(pg_logical_emit_message(true, 'pachyderm', '') AS text) END"
)
