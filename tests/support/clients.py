"""Waiting for a Postgres server to notice that the clients that were killed are gone."""

import time

from sqlalchemy import text

from tests.support.raw import connected

SECONDS = 60.0
_OTHERS = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    " AND backend_type = 'client backend'"
)


def wait_for_the_server(store_url: str) -> None:
    """Wait until the server has done what killed processes had asked of it, a last commit maybe."""
    end = time.monotonic() + SECONDS
    while not store_url.startswith("sqlite") and _is_used(store_url):
        assert time.monotonic() < end, "a connection of a killed process is still open"
        time.sleep(0.02)


def _is_used(postgres_url: str) -> bool:
    # Each time in a transaction of its own: one sees the same activity from its first look to its end.
    with connected(postgres_url) as connection:
        return bool(connection.execute(_OTHERS).scalar_one())
