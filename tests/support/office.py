"""Engines for couriers on one store, what their effects do, and time that passes in its outbox when told to."""

import threading
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from types import TracebackType
from typing import Any, NoReturn, Self

from sqlalchemy import inspect, select, update

from pachyderm_cli import EffectContext, Pachyderm
from pachyderm_cli.domain.timestamps import from_text, to_text
from pachyderm_cli.store.schema import outbox
from tests.support import courier, porter
from tests.support.raw import connected

LEASE = 30.0
"""How many seconds a lease lasts, unless a test says otherwise: longer than any test takes."""


class World:
    """What effects tell, each with its context. What is `failing` raises; what is in `acts` does that, then."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.contexts: list[EffectContext] = []
        self.failing: set[str] = set()
        self.acts: dict[str, Callable[[], object]] = {}
        self._lock = threading.Lock()

    def hear(self, text: str, context: EffectContext) -> None:
        """Note what is told."""
        with self._lock:
            self.heard.append(text)
            self.contexts.append(context)
        if text in self.acts:
            self.acts[text]()
        if text in self.failing:
            raise RuntimeError(f"{text} fails")


class Office:
    """A store with its engines, which are closed at the end."""

    def __init__(self, store_url: str) -> None:
        self.store_url = store_url
        self.world = World()
        self._stack = ExitStack()
        self._engines: list[Pachyderm] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def open(self, **options: Any) -> Pachyderm:
        """Return a further engine, for couriers and porters unless the options name other modules."""
        given = {
            "modules": {"courier": courier, "porter": porter},
            "config": {"world": self.world},
            "lease_seconds": LEASE,
            **options,
        }
        opened = self._stack.enter_context(Pachyderm(self.store_url, **given))
        self._engines.append(opened)
        return opened

    def rows(self) -> list[dict[str, Any]]:
        """Return every row of the outbox, by version and order of emission; none where there is no store.

        What an engine of this process has still to write is written before.
        """
        for engine in self._engines:
            engine._store.acknowledgements.flush()
        with connected(self.store_url) as connection:
            if not inspect(connection).has_table(outbox.name):
                return []
            found = connection.execute(select(outbox).order_by(outbox.c.version, outbox.c.ordinal, outbox.c.id))
            return [dict(row._mapping) for row in found]

    def only(self) -> dict[str, Any]:
        """Return the one row of the outbox."""
        [row] = self.rows()
        return row

    def statuses(self) -> list[tuple[str, str]]:
        """Return type and status of every effect in the outbox, in the order of `rows`."""
        return [(row["type"], row["status"]) for row in self.rows()]

    def pass_time(self, seconds: float, network: str = "default") -> None:
        """Let every time that is waited for come so much nearer: due times, and the ends of leases."""
        for row in self.rows():
            if row["network"] == network and row["next_attempt_at"] is not None:
                moved = {name: _sooner(row[name], seconds) for name in ("due_at", "next_attempt_at")}
                self.change(row["id"], **moved)

    def end_leases(self) -> None:
        """Let every lease run out now: whoever holds one is given up."""
        self.pass_time(LEASE + 1)

    def change(self, effect_id: str, **values: Any) -> None:
        """Change a row of the outbox past pachyderm."""
        with connected(self.store_url) as connection:
            connection.execute(update(outbox).where(outbox.c.id == effect_id).values(values))


def raising(error: BaseException) -> Callable[..., NoReturn]:
    """Return what raises that error. After a KeyboardInterrupt nothing is done, as if the process had ended."""

    def act(*_: object, **__: object) -> NoReturn:
        raise error

    return act


def log(engine: Pachyderm, reference: str) -> list[str]:
    """Return the notes of a courier, from its history."""
    return [courier.Noted.model_validate_json(event.data).note for event in engine.history(reference)]


def _sooner(text: str, seconds: float) -> str:
    return to_text(from_text(text) - timedelta(seconds=seconds))
