"""What tests of group commit may ask for."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from pachyderm_cli.engine.commit import LARGEST_GROUP, GroupCommit
from tests.support.commits import Database, Senders


@pytest.fixture
def database() -> Database:
    """Return what the appends are written to."""
    return Database()


@pytest.fixture
def commits(database: Database) -> GroupCommit:
    """Return the group commit of that database."""
    return GroupCommit(database.write)


@pytest.fixture
def senders(commits: GroupCommit) -> Iterator[Senders]:
    """Return threads enough for the largest group and more."""
    with ThreadPoolExecutor(LARGEST_GROUP + 20) as pool:
        yield Senders(commits, pool)
