"""A model beside the engine: whatever is done, in whatever order, a plain Python model of it agrees at every step."""

from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import UUID, uuid5

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import update

from pachyderm_cli import Message, Reference, Rejected
from pachyderm_cli.errors import MessageIdConflict, NotFound, VersionConflict
from pachyderm_cli.store.schema import snapshots
from tests.support.engines import tally_engine
from tests.support.raw import execute
from tests.support.tally import Add, AddAll, Ask, Keep, Refuse, State

SPACE = UUID("0b0ec6d5-3f53-4b30-a7fa-6a4f4a5dd1de")
ENTITIES = [Reference("tally", uuid5(SPACE, f"entity {number}")) for number in range(3)]

entities = st.sampled_from(ENTITIES)
amounts = st.integers(-5, 5)
writing_messages = st.one_of(
    st.builds(Add, amount=amounts),
    st.builds(AddAll, amounts=st.lists(amounts, min_size=1, max_size=4).map(tuple)),
    st.builds(Keep, value=st.one_of(st.none(), st.text(max_size=3), st.lists(amounts, max_size=2))),
)


@dataclass
class Model:
    """One entity, as it should be: the state at every version, and the data of every event."""

    states: list[State] = field(default_factory=lambda: [State()])
    events: list[tuple[str, Any]] = field(default_factory=list)

    @property
    def version(self) -> int:
        """Return the version that the entity is at."""
        return len(self.events)

    def append(self, message: Message) -> None:
        """Do what the message should lead to."""
        match message:
            case Add(amount=amount):
                self._count(amount)
            case AddAll(amounts=several):
                for amount in several:
                    self._count(amount)
            case Keep(value=value):
                self.events.append(("Kept", value))
                self.states.append(State(count=self.states[-1].count, kept=(*self.states[-1].kept, value)))

    def _count(self, amount: int) -> None:
        self.events.append(("Added", amount))
        self.states.append(State(count=self.states[-1].count + amount, kept=self.states[-1].kept))


@dataclass(frozen=True)
class Done:
    """A message that was acknowledged: its id, and the outcome."""

    message_id: UUID
    entity: Reference
    message: Message
    first: int
    last: int


class StoreAgainstModel(RuleBasedStateMachine):
    """Drives an engine and the model together. Each example has a network of its own, in one database."""

    store_url: str
    compared = 0  # states
    networks = count()
    done: Bundle[Done] = Bundle("done")

    def __init__(self) -> None:
        super().__init__()
        self.network = f"example {next(self.networks)}"
        self.ids = count()
        self.models: dict[Reference, Model] = {}
        self.written: list[Reference] = []  # oldest write first
        self.told: list[str] = []
        self.effects = 0
        self.engine = self.opened()

    def opened(self) -> Any:
        """Return an engine in this example's network."""
        return tally_engine(self.store_url, network=self.network, snapshots_every=3, config={"told": self.told})

    def teardown(self) -> None:
        """Close what the example opened."""
        self.engine.close()

    def model(self, entity: Reference) -> Model:
        """Return the model of an entity, a new one if nothing was written to it."""
        return self.models.get(entity, Model())

    def fresh_id(self) -> UUID:
        """Return an id that was not used yet; the same in every run."""
        return uuid5(SPACE, f"{self.network} {next(self.ids)}")

    def acknowledge(self, entity: Reference, message: Message, message_id: UUID, sent: Any) -> Done:
        """Let the model do what the engine acknowledged, and compare."""
        model = self.models.setdefault(entity, Model())
        first = model.version + 1
        model.append(message)
        self.written = [*(each for each in self.written if each != entity), entity]
        self.effects += isinstance(message, Add)
        assert not sent.duplicate
        assert sent.message_id == message_id
        assert (sent.version, sent.state) == (model.version, model.states[-1])
        assert [event.version for event in sent.events] == list(range(first, model.version + 1))
        return Done(message_id, entity, message, first, model.version)

    @rule(target=done, entity=entities, message=writing_messages)
    def send(self, entity: Reference, message: Message) -> Done:
        """Send a message of a fresh id."""
        message_id = self.fresh_id()
        sent = self.engine.send(entity, message, message_id=message_id)
        return self.acknowledge(entity, message, message_id, sent)

    @rule(target=done, entity=entities, message=writing_messages, ahead=st.integers(-2, 2))
    def send_expecting(self, entity: Reference, message: Message, ahead: int) -> Any:
        """Send with an expected version: the right one is handled, any other is a conflict."""
        message_id = self.fresh_id()
        version = self.model(entity).version
        if ahead == 0:
            sent = self.engine.send(entity, message, message_id=message_id, expect=version)
            return self.acknowledge(entity, message, message_id, sent)
        with pytest.raises(VersionConflict) as caught:
            self.engine.send(entity, message, message_id=message_id, expect=version + ahead)
        assert caught.value.details["version"] == version
        return multiple()

    @rule(sent=done)
    def send_again(self, sent: Done) -> None:
        """Send a message again: the first outcome comes back."""
        again = self.engine.send(sent.entity, sent.message, message_id=sent.message_id)
        model = self.models[sent.entity]
        assert again.duplicate
        assert (again.version, again.state) == (sent.last, model.states[sent.last])
        assert [event.version for event in again.events] == list(range(sent.first, sent.last + 1))
        assert again.effects == ()

    @rule(sent=done, entity=entities, message=writing_messages)
    def reuse_an_id(self, sent: Done, entity: Reference, message: Message) -> None:
        """Send something else under a used id: it is refused."""
        if (entity, message) == (sent.entity, sent.message):
            return
        with pytest.raises(MessageIdConflict):
            self.engine.send(entity, message, message_id=sent.message_id)

    @rule(entity=entities)
    def reject(self, entity: Reference) -> None:
        """Send what is rejected."""
        with pytest.raises(Rejected):
            self.engine.send(entity, Refuse())

    @rule(entity=entities)
    def ask(self, entity: Reference) -> None:
        """Send what leads to nothing."""
        sent = self.engine.send(entity, Ask())
        assert (sent.version, sent.state) == (self.model(entity).version, self.model(entity).states[-1])

    @rule(entity=entities)
    def snapshot(self, entity: Reference) -> None:
        """Take a snapshot, which is the state."""
        if entity not in self.models:
            with pytest.raises(NotFound):
                self.engine.snapshot(entity)
            return
        taken = self.engine.snapshot(entity)
        assert taken.version == self.models[entity].version
        assert State.model_validate_json(taken.state) == self.models[entity].states[-1]
        assert len(self.engine.snapshots(entity)) <= 2

    @rule()
    def drop_snapshots(self) -> None:
        """Drop every snapshot of the network."""
        self.engine.drop_snapshots(every_entity=True)

    @rule(values=st.sampled_from([{"state": "{"}, {"state": '{"count": 999}', "fingerprint": "of other code"}]))
    def spoil_snapshots(self, values: dict[str, str]) -> None:
        """Make every snapshot of the network one that does not fit."""
        execute(self.store_url, update(snapshots).where(snapshots.c.network == self.network).values(values))

    @rule()
    def reopen(self) -> None:
        """Close the engine and open another on the store."""
        self.engine.close()
        self.engine = self.opened()

    @rule(entity=entities, data=st.data())
    def replay(self, entity: Reference, data: st.DataObject) -> None:
        """Replay to any version: the state is what it was then."""
        if entity not in self.models:
            return
        model = self.models[entity]
        version = data.draw(st.integers(0, model.version))
        replayed = self.engine.replay(entity, to_version=version)
        assert (replayed.version, replayed.state) == (version, model.states[version])

    @rule(entity=entities)
    def read_history(self, entity: Reference) -> None:
        """Read the log, forwards and backwards: it is every event, without a gap."""
        if entity not in self.models:
            return
        history = list(self.engine.history(entity))
        assert [event.version for event in history] == list(range(1, self.models[entity].version + 1))
        read = self.engine.entity_type("tally").read_event
        events = [read(each.type, each.data, each.version) for each in history]
        found = [(type(event).__name__, getattr(event, "amount", getattr(event, "value", None))) for event in events]
        assert found == self.models[entity].events
        assert list(self.engine.history(entity, reverse=True)) == history[::-1]
        assert [event.position for event in history] == sorted({event.position for event in history})

    @invariant()
    def agree(self) -> None:
        """Every entity is at the model's version and state, the list is in order, each effect ran once."""
        found = [(head.entity, head.version) for head in self.engine.entities()]
        assert found == [(entity, self.models[entity].version) for entity in reversed(self.written)]
        for entity, model in self.models.items():
            assert self.engine.state(entity) == model.states[-1]
            type(self).compared += 1
        assert len(self.told) == self.effects


def test_engine_and_model_agree(store_url: str) -> None:
    """Sends, conflicts, duplicates, rejections, snapshots, reopening and replays leave engine and model alike."""

    class OnThisStore(StoreAgainstModel):
        pass

    OnThisStore.store_url = store_url
    # What else is asserted stands in the machine: in its rules, and in what holds after each of them (`agree`).
    # Fewer examples of many steps: each step asks a database.
    examples = 500 if settings.get_current_profile_name() == "explore" else 50
    run_state_machine_as_test(OnThisStore, settings=settings(max_examples=examples, stateful_step_count=25))
    assert OnThisStore.compared > examples
