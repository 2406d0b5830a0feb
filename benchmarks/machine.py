"""On what was measured: the machine, Python, and the versions of everything that counts."""

import os
import platform
import sqlite3
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psycopg

from benchmarks.places import Places
from pachyderm_cli import __version__

_LIBRARIES = (
    "eventsourcing",
    "procrastinate",
    "psycopg",
    "psycopg-pool",
    "pydantic",
    "pydantic-core",
    "SQLAlchemy",
    "typer",
)


def describe(places: Places, *, with_postgres: bool) -> dict[str, str]:
    """Return what is known of the machine and the versions, by name."""
    described = {
        "measured": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{platform.system()} {platform.release()}, {_processor()}",
        "cores": f"{len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()}",
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GB",
        "disk": f"{places.filesystem}, {places.folder}",
        "load before": f"{os.getloadavg()[0]:.2f}",
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "pachyderm-cli": __version__,
        **{name: version(name) for name in _LIBRARIES},
        "SQLite": sqlite3.sqlite_version,
    }
    if with_postgres:
        with psycopg.connect(places.postgres_database()) as connection:
            number = connection.execute("SHOW server_version").fetchone()
            described["Postgres"] = f"{number[0] if number else 'unknown'}, psycopg {psycopg.pq.__impl__}"
    return described


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
