"""Where the databases of a run are: SQLite files and a Postgres server, all on the disk of this checkout."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg
from sqlalchemy import make_url

from tests.postgres_server import Keeper, server_url

ROOT = Path(__file__).parent.parent
PROJECT = ROOT / "benchmarks" / "project"

_IN_MEMORY = ("tmpfs", "ramfs", "devtmpfs")


class Places:
    """Gives out fresh databases; the server is started when the first asks for one."""

    def __init__(self, folder: Path) -> None:
        """Use `folder`, which is on a real disk. Raises SystemExit where it is not."""
        self.folder = folder
        self.filesystem = _filesystem(folder)
        if self.filesystem in _IN_MEMORY:
            raise SystemExit(f"{folder} is on {self.filesystem}, where durability costs nothing: nothing is measured")
        self._numbers = count(1)
        self._keeper: Keeper | None = None

    def sqlite_file(self) -> Path:
        """Return the path of a SQLite file that is not there yet."""
        return self.folder / f"{next(self._numbers)}.db"

    def drop_sqlite(self, file: Path) -> None:
        """Remove a SQLite file with its side files: the big ones go as soon as they are not needed."""
        for name in (file, f"{file}-wal", f"{file}-shm"):
            Path(name).unlink(missing_ok=True)

    def postgres_database(self) -> str:
        """Make an empty Postgres database and return its URL, as libpq reads it."""
        name = f"bench_{next(self._numbers)}"
        with psycopg.connect(self._server(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
            connection.execute("CHECKPOINT")  # so that an earlier figure's does not fall into this one
        return make_url(self._server()).set(database=name).render_as_string(hide_password=False)

    def drop_postgres(self, url: str) -> None:
        """Drop a database that nothing is connected to any more."""
        with psycopg.connect(self._server(), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {make_url(url).database} WITH (FORCE)")

    def close(self) -> None:
        """Stop the server."""
        if self._keeper is not None:
            self._keeper.close()

    def _server(self) -> str:
        if self._keeper is None:
            # The tests' server puts its data where temporary files go; the system's own place may be in memory.
            before, tempfile.tempdir = tempfile.tempdir, str(self.folder)
            self._keeper = Keeper()
            tempfile.tempdir = before
        url = make_url(server_url(self._keeper.home))
        return url.set(drivername="postgresql").render_as_string(hide_password=False)


@contextmanager
def places() -> Iterator[Places]:
    """Give fresh places, and remove them with everything in them."""
    build = ROOT / "build"
    build.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=build))
    given = Places(folder)
    try:
        yield given
    finally:
        given.close()
        shutil.rmtree(folder)


def _filesystem(folder: Path) -> str:
    """Return the type of the file system that holds `folder`; "unknown" where the system does not tell."""
    mounts = Path("/proc/mounts")
    if not mounts.exists():
        return "unknown"
    best = ("", "unknown")
    for line in mounts.read_text().splitlines():
        _, point, kind, *_ = line.split()
        if os.path.commonpath([point, folder]) == point and len(point) >= len(best[0]):
            best = (point, kind)
    return best[1]
