"""A project to run the command in."""

import shutil
from pathlib import Path

import pytest

from tests.cli.running import ROOT, Command

LAB = Path(__file__).parent / "lab"
OUTBOX_LAB = Path(__file__).parent / "outbox_lab"
TIME_LAB = Path(__file__).parent / "time_lab"


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder from which Python imports the package, and nothing else of this checkout."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "pachyderm_cli").symlink_to(ROOT / "pachyderm_cli")
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return the folder of a project with the counter that `init` writes, and with a box for everything else."""
    folder = tmp_path / "project"
    shutil.copytree(LAB, folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pachyderm_cli/cli/template/entities/counter.py", folder / "entities")
    return folder


@pytest.fixture
def outbox_lab(project: Path) -> None:
    """Add to the project the courier, whose effects are kept in the outbox."""
    shutil.copy(OUTBOX_LAB / "courier.py", project / "entities")


@pytest.fixture
def time_lab(project: Path) -> None:
    """Add to the project the purse, which answers questions, is found by its state, and was changed."""
    shutil.copy(TIME_LAB / "purse.py", project / "entities")


@pytest.fixture
def pachyderm(project: Path, site: Path) -> Command:
    """Return the command, run in the project on a SQLite store that is not there yet."""
    return Command(project, site)


@pytest.fixture
def on_store(pachyderm: Command, store_url: str) -> Command:
    """Return the command, run in the project: once on SQLite, once on Postgres."""
    return pachyderm.store(store_url)
