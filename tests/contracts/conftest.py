"""What every contract test may ask for: engines that are closed again, on the store that the test was given."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from pachyderm_cli import Pachyderm
from pachyderm_cli.store.store import Store
from tests.support.engines import tally_engine

OpenEngine = Callable[..., Pachyderm]


@pytest.fixture
def told() -> list[str]:
    """Return the list in which effects leave their trace."""
    return []


@pytest.fixture
def open_engine(store_url: str) -> Iterator[OpenEngine]:
    """Return a function that opens an engine for the tally; whatever was opened is closed after the test."""
    with ExitStack() as stack:

        def opened(**options: Any) -> Pachyderm:
            return stack.enter_context(tally_engine(store_url, **options))

        yield opened


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """Return a store that nothing was written to."""
    opened = Store(store_url)
    yield opened
    opened.close()


@pytest.fixture
def engine(open_engine: OpenEngine) -> Pachyderm:
    """Return one engine for the tally."""
    return open_engine()
