"""The engine: the one class through which the command line and users' programs use pachyderm."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from types import ModuleType, TracebackType
from typing import Any, Self
from uuid import UUID, uuid4

from pachyderm_cli.config import DEFAULT_NETWORK, Config, load_config, require_network
from pachyderm_cli.domain.arguments import question_of
from pachyderm_cli.domain.message import Message, Question
from pachyderm_cli.domain.reference import Reference
from pachyderm_cli.domain.timestamps import now
from pachyderm_cli.engine.batch import Batch
from pachyderm_cli.engine.deciding import LEFT_TO_WORKERS, Committed, Delivery, Request, Terms
from pachyderm_cli.engine.draining import DELIVERIES, Drains
from pachyderm_cli.engine.effects import Effects
from pachyderm_cli.engine.erasing import Erasing
from pachyderm_cli.engine.finding import Finder
from pachyderm_cli.engine.leases import LeaseKeeper
from pachyderm_cli.engine.loader import EntityTypes, FolderEntityTypes, ModuleEntityTypes, NoEntityTypes
from pachyderm_cli.engine.log import Log
from pachyderm_cli.engine.moving import Moving
from pachyderm_cli.engine.networks import Networks, Place
from pachyderm_cli.engine.overdue import OverdueTimers
from pachyderm_cli.engine.relay import Relay
from pachyderm_cli.engine.requests import Requests
from pachyderm_cli.engine.results import EffectResult, Sent
from pachyderm_cli.engine.sending import Sender
from pachyderm_cli.engine.snapshots import Snapshots
from pachyderm_cli.engine.time_travel import TimeTravel
from pachyderm_cli.engine.upkeep import Upkeep
from pachyderm_cli.errors import ConfigError, EntityFailed, PachydermError, StoreError
from pachyderm_cli.store.outbox import renew
from pachyderm_cli.store.patience import WAIT_SECONDS
from pachyderm_cli.store.records import Held, Lease, StoredEffect
from pachyderm_cli.store.store import Store

MIN_LEASE, MAX_LEASE = 0.5, 86400.0
"""Between these a lease lasts, in seconds: long enough to be renewed in time, and some day at an end."""


class Pachyderm(Requests, TimeTravel, Snapshots, Effects, Log, Upkeep, Erasing, Moving):
    """Entities of one network in one store.

    A context manager; one instance serves several threads. References are given as text (`counter:@visits`) or as
    Reference; where an existing entity is meant, None stands for the one written to last.

        with Pachyderm("sqlite:///counters.db", [counter]) as pachyderm:
            sent = pachyderm.send("counter:@visits", Increment())
            print(sent.version, sent.state)
    """

    def __init__(  # noqa: PLR0913 - what an engine may be told, by keyword
        self,
        store: str | Store,
        modules: Iterable[ModuleType] | Mapping[str, Any] | EntityTypes = (),
        *,
        network: str = DEFAULT_NETWORK,
        snapshots_every: int = 100,
        cached: int = 4096,
        config: Mapping[str, Any] | None = None,
        clock: Callable[[], datetime] = now,
        lease_seconds: float = 30,
        deliveries: int = DELIVERIES,
        lookups: Iterable[str] = (),
        wait_seconds: float = WAIT_SECONDS,
        networks: Mapping[str, str] | Networks | None = None,
    ) -> None:
        """Make an engine on the store with that URL, for these entity modules.

        `modules` are modules, a mapping of type names to modules, or where to get entity types from; `cached` is
        how many folded entities are kept between calls; `config` is handed to effects; `clock` returns the current
        time, aware. `lease_seconds` is how long an effect belongs to a process that has died, `deliveries` how many
        messages to other entities a send delivers before it answers, `lookups` names types that keep their states for
        lookup, beside those whose modules say so. `wait_seconds` is how long a lock in a SQLite file is waited for, and
        a server that is away for a while. `networks` has the store URLs of other networks that messages are
        sent to; one that is left out lives in this store. The store is opened at the first use.
        Raises ConfigError and EntityLoadError.
        """
        require_network(network)
        if snapshots_every < 0 or cached < 0 or deliveries < 0:
            raise ConfigError("snapshots_every, cached and deliveries are numbers from 0")
        if not MIN_LEASE <= lease_seconds <= MAX_LEASE:
            raise ConfigError(f"lease_seconds is a number from {MIN_LEASE:g} to {MAX_LEASE:g}")
        self._store = store if isinstance(store, Store) else Store(store, wait_seconds)
        self._types = modules if isinstance(modules, EntityTypes) else ModuleEntityTypes(modules)
        self._network = network
        self._config = dict(config or {})
        self._clock = clock
        self._finder = Finder(self._store, network)
        self._sender = Sender(
            self._store,
            network,
            snapshots_every=snapshots_every,
            cached=cached,
            clock=clock,
            lookups=frozenset(lookups),
        )
        self._relay = Relay(self._store, self._sender, self._types)
        self._sender.timers = OverdueTimers(self._store, network, self._relay, lease_seconds)
        self._keeper = LeaseKeeper(lambda lease: renew(self._store, network, lease), lease_seconds)
        self._terms = Terms(lease_seconds=lease_seconds)
        self._lease_seconds = lease_seconds
        self._drains = Drains(self._store, network, self._relay, self._keeper, deliveries)
        self._options: dict[str, Any] = {
            "snapshots_every": snapshots_every,
            "cached": cached,
            "clock": clock,
            "lease_seconds": lease_seconds,
            "deliveries": deliveries,
            "lookups": tuple(lookups),
            "wait_seconds": wait_seconds,
        }
        if not isinstance(networks, Networks):
            stores = dict(networks or {})
            networks = Networks(lambda name: Place(stores.get(name)), self._abroad)
        self._networks = self._relay.networks = networks
        networks.add(network, self)

    @classmethod
    def open(
        cls,
        project: str | os.PathLike[str] | None = None,
        *,
        store: str | None = None,
        network: str | None = None,
    ) -> Self:
        """Return an engine for the project in that folder, or for the nearest one upwards from here.

        Options win over the environment, the environment over `pachyderm.toml`. Entity modules are loaded when
        first needed. Raises ConfigError.
        """
        return cls.from_config(load_config(project, store=store, network=network))

    @classmethod
    def from_config(cls, config: Config) -> Self:
        """Return an engine for a configuration. Raises ConfigError for a store URL that cannot be used."""
        types = NoEntityTypes() if config.entities is None else FolderEntityTypes(config.entities)
        engine = cls(
            config.store_url,
            types,
            network=config.network,
            snapshots_every=config.snapshots_every,
            config=config.effects,
            lease_seconds=config.lease_seconds,
            deliveries=config.deliveries,
            lookups=config.lookups,
            wait_seconds=config.wait_seconds,
        )
        engine._networks.places = lambda name: Place(*config.place_of(name))
        return engine

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections to the store and forget the project's modules."""
        self._networks.close(self)
        self.close_network()
        self._types.close()

    @property
    def store(self) -> Store:
        """The store, shared by the networks in it."""
        return self._store

    def close_network(self) -> None:
        """Close what is this network's alone; the entity modules may serve others."""
        self._keeper.close()
        self._store.close()
        self._sender.forget()  # what other code folded is not to be taken for what that of tomorrow would

    def receive(self, effect: StoredEffect, request: Request, held: Held) -> bool:
        """Handle a message that an entity of another network sent, and carry out what it leads to here.

        Return whether it was committed with it that `effect` is done, as it can be within one store. Raises as `send`
        does.
        """
        terms = self._terms
        if self._networks.shares_store(held.network, self):
            terms = terms._replace(carries_out=effect, held=held.lease, from_network=held.network)
        delivery = self._sender.delivery(request, terms)
        try:
            committed = self._sender.deliver(delivery)
        except StoreError:
            raise
        except PachydermError:
            self._drains.carry_out(delivery, None, self._config)
            raise
        self._sent(request, delivery, committed, self._config)
        return terms.settles is not None and bool(committed.events) and not committed.duplicate

    def _abroad(self, network: str, place: Place) -> Pachyderm:
        """Return the engine of another network. Raises ConfigError."""
        store: str | Store = self._store
        if place.store_url is not None and Store(place.store_url).opened_url != self._store.opened_url:
            store = place.store_url
        config = self._config if place.effects is None else place.effects
        return Pachyderm(store, self._types, network=network, config=config, networks=self._networks, **self._options)

    def send(  # noqa: PLR0913 - all that a send may say, by keyword
        self,
        reference: str | Reference,
        message: Message | str,
        data: Mapping[str, Any] | str | bytes | None = None,
        *,
        message_id: UUID | str | None = None,
        expect: int | None = None,
        config: Mapping[str, Any] | None = None,
        effects: bool = True,
        caused_by: UUID | str | None = None,
        ask: Question | None = None,
    ) -> Sent:
        """Send a message, and return what it led to once that is durable and its effects have run.

        `message` is a Message, or the name of one with `data`. `message_id` makes it idempotent: sent again, it
        returns the first outcome. `expect` handles it only at that version (0: a new entity). `config` is added to
        the effects' configuration; without `effects` none runs in this process: those that run at most once never will,
        the others are left to a worker. `caused_by` is the id of the message that
        led to this one. A failing effect is reported in the result, and raises nothing. `ask` is a question that the
        entity answers at the version that the message led to; where it fails at that, EntityFailed says that the
        message is committed.

        Raises Rejected, VersionConflict, MessageIdConflict, EntityFailed, InvalidMessage, UnknownMessage,
        UnknownEntityType, EntityLoadError, InvalidReference, NotFound and StoreError. After each of them nothing of the
        message was written (the entity's overdue timers, which come first, stand); only where a connection to Postgres
        stayed lost may the commit have happened, and sending the same message id again tells.
        """
        request = self.request(reference, message, data, message_id=message_id, expect=expect, caused_by=caused_by)
        question = None if ask is None else question_of(request.entity_type, ask)
        delivery = self._sender.delivery(request, self._terms if effects else LEFT_TO_WORKERS)
        merged = self._effects_config(config) if config else self._config
        try:
            committed = self._sender.deliver(delivery)
        except StoreError:
            raise
        except PachydermError:
            self._drains.carry_out(delivery, None, merged)  # the timers that came first stand, whatever became of it
            raise
        sent = self._sent(request, delivery, committed, merged)
        if question is None:
            return sent
        try:
            answer = request.entity_type.answer(question, request.entity_type.own_state(sent.state))
        except PachydermError as error:
            told = f"the message is committed (version {sent.version}), but the question failed: {error.message}"
            raise EntityFailed(told, entity_type=request.entity_type.name) from error
        return replace(sent, answer=answer)

    def send_all(
        self,
        requests: Sequence[Request],
        *,
        keep_going: bool = False,
        config: Mapping[str, Any] | None = None,
        effects: bool = True,
    ) -> list[Sent | PachydermError]:
        """Send messages in their order, in one durable commit, and return what became of each.

        Each is decided on what those before it lead to; all that is to be written is written together, or nothing
        is. The effects run after the commit, in order. A message that fails writes nothing and has its error in the
        list, with which the list ends, unless told to `keep_going`: those after it are then sent all the same.
        Messages that cannot share a commit (other writers came first again and again, the database refuses one) are
        committed in smaller parts, in order.

        Raises StoreError where a connection to Postgres stayed lost: what came before is committed, and sending all
        of it with the same message ids again finishes it.
        """
        merged = self._effects_config(config)
        # One lease for all: the last effects are not to become others' while the first are carried out.
        lease = Lease(uuid4(), self._lease_seconds)
        batch = Batch(self._sender, requests, Terms(lease=lease) if effects else LEFT_TO_WORKERS, keep_going=keep_going)
        results: list[Sent | PachydermError] = []
        with ExitStack() as kept:
            for request, delivery, outcome in zip(requests, batch.deliveries, batch.send(), strict=False):
                if batch.has_queued:
                    batch.has_queued = False
                    kept.enter_context(self._keeper.keep(lease))
                if isinstance(delivery, PachydermError):
                    results.append(delivery)
                elif isinstance(outcome, PachydermError):
                    self._drains.carry_out(delivery, None, merged)
                    results.append(outcome)
                else:
                    results.append(self._sent(request, delivery, outcome, merged))
        return results

    def _effects_config(self, added: Mapping[str, Any] | None) -> Mapping[str, Any]:
        return {**self._config, **added} if added else self._config

    def _sent(self, request: Request, delivery: Delivery, committed: Committed, config: Mapping[str, Any]) -> Sent:
        """Carry out what the message set off, and return the whole result."""
        effects: tuple[EffectResult, ...] = ()
        left = 0
        if committed.effects or committed.duplicate or delivery.set_off:
            effects, left = self._drains.carry_out(delivery, committed, config)
        # What the frozen class's own __init__ comes to, field by field, in four times the time.
        sent = object.__new__(Sent)
        sent.__dict__.update(
            entity=request.entity,
            network=self._network,
            version=committed.fold.version,
            state=committed.fold.state,
            entity_type=request.entity_type,
            message_id=committed.message_id,
            duplicate=committed.duplicate,
            events=committed.events,
            effects=effects,
            left=left,
            answer=None,
        )
        return sent
