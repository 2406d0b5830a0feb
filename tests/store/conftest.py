"""What every test of the store may ask for: a store that is closed again."""

from collections.abc import Iterator

import pytest

from pachyderm_cli.store.store import Store


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """Return a store that nothing was written to, on each database."""
    opened = Store(store_url)
    yield opened
    opened.close()


@pytest.fixture
def sqlite_store(sqlite_url: str) -> Iterator[Store]:
    """Return a SQLite store that nothing was written to."""
    opened = Store(sqlite_url)
    yield opened
    opened.close()
