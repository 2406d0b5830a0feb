"""The library `procrastinate`: a task queue in Postgres, and its worker."""

import asyncio
from collections.abc import Mapping

import psycopg
from procrastinate import App, PsycopgConnector

DEFAULT = "procrastinate"
VARIANTS: Mapping[str, int] = {DEFAULT: 1, "procrastinate, concurrency 4": 4}
"""How many tasks its worker runs at a time: as it comes, and what was fastest. The faster one is the peer."""


class TaskQueue:
    """`App.run_worker_async(wait=False)` on tasks with an empty body."""

    def __init__(self, database: str, variant: str) -> None:
        """Make the tables in a Postgres database, and open the pool of connections as it is by default."""
        self.database = database
        self._concurrency = VARIANTS[variant]
        self._app = App(connector=PsycopgConnector(conninfo=database))
        self._task = self._app.task(name="nothing")(_nothing)
        self._loop = asyncio.Runner()
        self._loop.run(self._open())

    def queue(self, jobs: int) -> None:
        """Defer as many tasks."""
        self._loop.run(self._defer(jobs))

    def drain(self) -> None:
        """Run a worker until nothing is left to do."""
        self._loop.run(self._app.run_worker_async(wait=False, concurrency=self._concurrency))

    def count_done(self) -> int:
        """Return how many tasks have succeeded."""
        with psycopg.connect(self.database) as connection:
            row = connection.execute("SELECT count(*) FROM procrastinate_jobs WHERE status = 'succeeded'").fetchone()
        return int(row[0]) if row else 0

    def close(self) -> None:
        """Close the pool."""
        self._loop.run(self._app.close_async())
        self._loop.close()

    async def _open(self) -> None:
        await self._app.open_async()
        await self._app.schema_manager.apply_schema_async()

    async def _defer(self, jobs: int) -> None:
        await self._task.batch_defer_async(*[{} for _ in range(jobs)])


async def _nothing() -> None:
    """Do nothing: what is measured is what surrounds it."""
