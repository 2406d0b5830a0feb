"""The other networks of an engine: nothing crosses over to one but a message that is sent there by name."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from pachyderm_cli.engine.deciding import Request
from pachyderm_cli.errors import StoreError
from pachyderm_cli.store.records import Held, StoredEffect
from pachyderm_cli.store.store import Store

_DEEPEST = 8  # deliveries from network to network inside of one another: each takes a part of Python's stack


class Place(NamedTuple):
    """Where a network lives, None for the same store, and what its effects are given, None for the same."""

    store_url: str | None = None
    effects: Mapping[str, Any] | None = None

    def __repr__(self) -> str:
        """Show nothing of either: there may be passwords in them."""
        return f"{type(self).__name__}(…)"


class Receiver(Protocol):
    """The engine of a network."""

    @property
    def store(self) -> Store:
        """Where it lives."""

    def receive(self, effect: StoredEffect, request: Request, held: Held) -> bool:
        """Handle a message from another network; see `Networks.deliver`."""

    def close_network(self) -> None:
        """Close what is this network's alone."""


class Networks:
    """The engines of the networks that one engine brings messages into, each made when it is first needed."""

    def __init__(self, places: Callable[[str], Place], make: Callable[[str, Place], Receiver]) -> None:
        """Make the engine of a network by `make`, given its place."""
        self.places = places
        self._make = make
        self._engines: dict[str, Receiver] = {}
        self._making = threading.Lock()
        self._inside = threading.local()

    @property
    def is_deep(self) -> bool:
        """Whether this is a delivery inside of so many others that it is better left to a worker."""
        return getattr(self._inside, "depth", 0) >= _DEEPEST

    def add(self, network: str, engine: Receiver) -> None:
        """Take an engine that is there already for that of its network."""
        self._engines[network] = engine

    def deliver(self, effect: StoredEffect, request: Request, held: Held) -> bool:
        """Deliver a message, and carry out what it leads to there; tell whether `held` is settled with it.

        It is where both networks are in one store, and the message led to events. Raises as a send does, LeaseLost,
        ConfigError.
        """
        engine = self._engine(str(effect.to_network))
        with self._deeper():
            return engine.receive(effect, request, held)

    def shares_store(self, network: str | None, engine: Receiver) -> bool:
        """Tell whether a network that is open lives in the same store as that of `engine`."""
        other = self._engines.get(str(network))
        return other is not None and other.store is engine.store

    def close(self, home: Receiver) -> None:
        """Close every engine but the one of `home`, which closes itself; they are made again when they are needed."""
        with self._making:
            others = {name: each for name, each in self._engines.items() if each is not home}
            for name in others:
                del self._engines[name]
        for each in others.values():
            each.close_network()

    def _engine(self, network: str) -> Receiver:
        with self._making:
            engine = self._engines.get(network)
            if engine is None:
                engine = self._engines[network] = self._make(network, self.places(network))
            return engine

    @contextmanager
    def _deeper(self) -> Iterator[None]:
        self._inside.depth = getattr(self._inside, "depth", 0) + 1
        try:
            yield
        finally:
            self._inside.depth -= 1


@dataclass(frozen=True, slots=True)
class ListedNetwork:
    """A network: its store (no password in it), how much is in it, and whether it is the one that is worked in.

    `is_named`: by the project's file. With a `problem` its store cannot be read, and nothing is known of what is in it.
    """

    name: str
    store: str
    is_named: bool
    is_current: bool
    entities: int = 0
    events: int = 0
    problem: str | None = None


def listed_networks(current: str, named: Sequence[str], store_url: Callable[[str], str]) -> Iterator[ListedNetwork]:
    """Yield the networks: the current one, those that are `named`, and what else is in their stores; by name.

    `store_url` says where one lives. One that is elsewhere by its name is told of there alone. Raises ConfigError.
    """
    urls = {name: store_url(name) for name in sorted({current, *named})}
    found: dict[str, ListedNetwork] = {}
    for url in dict.fromkeys(urls.values()):
        with closing(Store(url)) as store:
            problem, inside = _inside(store)
            here = {name for name, its in urls.items() if its == url}
            for name in here | {each for each in inside if each not in urls}:
                entities, events = inside.get(name, (0, 0))
                found[name] = ListedNetwork(name, str(store), name in named, name == current, entities, events, problem)
    return (found[name] for name in sorted(found))


def _inside(store: Store) -> tuple[str | None, dict[str, tuple[int, int]]]:
    """Return what keeps the store from being read, if anything does, and how much is in each of its networks."""
    from pachyderm_cli.store.status import status_of  # noqa: PLC0415 - every command loads this module

    try:
        status = status_of(store)
    except StoreError as error:
        return error.message, {}
    return None, {each.network: (each.entities, each.events) for each in status.networks}
