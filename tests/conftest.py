"""What every test may ask for: a store URL on each database. And the settings of Hypothesis."""

import os
import signal
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.databases import drop_databases, fresh_postgres, fresh_sqlite
from tests.postgres_server import Keeper, server_url

_SERVER = "PACHYDERM_TEST_POSTGRES"
_KEPT = (_SERVER, "PACHYDERM_ZOO")  # what is said to the tests, not to the command
_HOME = pytest.StashKey[Path]()
_KEEPER = pytest.StashKey[Keeper]()

# The same examples in every run, so that a change and not chance makes a test fail. To look for new ones:
# HYPOTHESIS_PROFILE=explore make test
settings.register_profile(
    "steady",
    derandomize=True,
    deadline=None,  # how long an example takes depends on what else the machine does
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],  # the same
)
settings.register_profile("explore", settings.get_profile("steady"), derandomize=False, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))


def pytest_configure(config: pytest.Config) -> None:
    """Forget the caller's settings, and prepare the place of a Postgres server that a test may start."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # in the background of a script, and so in what tests start
        signal.signal(signal.SIGINT, signal.default_int_handler)
    for name in [name for name in os.environ if name.startswith("PACHYDERM_") and name not in _KEPT]:
        del os.environ[name]
    if hasattr(config, "workerinput"):
        config.stash[_HOME] = Path(config.workerinput["postgres_home"])
    else:
        config.stash[_KEEPER] = Keeper()
        config.stash[_HOME] = config.stash[_KEEPER].home


@pytest.hookimpl(optionalhook=True)  # pytest-xdist's
def pytest_configure_node(node: Any) -> None:
    """Tell a worker where the run's one server is."""
    node.workerinput["postgres_home"] = str(node.config.stash[_HOME])


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the server, if a test started it."""
    if _KEEPER in config.stash:
        config.stash[_KEEPER].close()


@pytest.fixture(scope="session")
def postgres_server(pytestconfig: pytest.Config) -> Iterator[str]:
    """Give the URL of a Postgres server on which databases may be made."""
    if find_spec("psycopg") is None:
        pytest.skip("needs the extra `postgres`")
    others = os.environ.get(_SERVER)
    yield others or server_url(pytestconfig.stash[_HOME])
    if others:  # our own goes with all its databases
        drop_databases(others)


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """Return the URL of an empty Postgres database; a test that leaves a connection to it open fails."""
    with fresh_postgres(postgres_server) as url:
        yield url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> Iterator[str]:
    """Return the URL of a SQLite store that is not there yet; a test that leaves it open fails."""
    with fresh_sqlite(tmp_path) as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def store_url(request: pytest.FixtureRequest) -> str:
    """Return the URL of an empty store: the test runs once on each database."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url
