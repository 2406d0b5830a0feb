"""The laws of time travel: every way to a state agrees, copies go on alike, and to try is to send without writing."""

from typing import Any
from uuid import uuid4

from hypothesis import given, settings
from hypothesis import strategies as st

from pachyderm_cli import Message, Pachyderm, Reference
from pachyderm_cli.engine.folding import load
from pachyderm_cli.engine.results import Sent, Tried
from pachyderm_cli.errors import PachydermError
from pachyderm_cli.store.store import Store
from tests.support.travel import brief, histories, send_each, travel_engine, whole

EXAMPLES = 25


def fresh(type_name: str) -> Reference:
    """Return an entity that nothing was sent to."""
    return Reference(type_name, uuid4())


def sent_states(outcomes: list[Sent | PachydermError]) -> dict[int, Any]:
    """Return the states that senders were told, by version."""
    return {each.version: each.state for each in outcomes if isinstance(each, Sent)}


def test_every_way_to_a_state_agrees(store_url: str) -> None:
    """Replay to a version, the steps, snapshot plus tail, the cache and what senders were told: all are alike."""
    store = Store(store_url)
    with travel_engine(store_url) as warm, travel_engine(store_url, cached=0) as cold:

        @settings(max_examples=EXAMPLES)
        @given(histories)
        def holds(history: tuple[str, list[Message]]) -> None:
            type_name, messages = history
            entity, entity_type = fresh(type_name), warm.entity_type(type_name)
            told = sent_states(send_each(warm, entity, messages))
            if not any(told):
                return  # nothing was written
            newest = cold.find(entity).version
            replayed = {version: cold.replay(entity, to_version=version).state for version in range(newest + 1)}
            loaded = {version: load(store, "default", entity_type, entity, version) for version in replayed}
            assert {version: fold.state for version, fold in loaded.items()} == replayed
            assert all(fold.version == version for version, fold in loaded.items())
            steps = {step.version: step.state for step in cold.steps(entity)}
            assert {0: entity_type.initial(), **steps} == replayed
            assert {version: replayed[version] for version in told} == told
            assert warm.state(entity) == cold.state(entity) == cold.replay(entity).state == replayed[newest]
            cold.drop_snapshots(entity)
            assert cold.state(entity) == replayed[newest]

        holds()
    store.close()


def test_a_fork_goes_on_as_the_original(store_url: str) -> None:
    """A copy made anywhere between two messages, sent the rest of them, comes to the original's outcomes and state."""
    with travel_engine(store_url) as engine:

        @settings(max_examples=EXAMPLES)
        @given(histories, st.integers(0, 11))
        def holds(history: tuple[str, list[Message]], cut: int) -> None:
            type_name, messages = history
            entity = fresh(type_name)
            before = send_each(engine, entity, messages[:cut])
            if not any(sent_states(before)):
                return  # nothing to copy
            version = engine.find(entity).version
            rest = send_each(engine, entity, messages[cut:])
            forked = engine.fork(entity, to_version=version)
            assert (forked.version, forked.state) == (version, engine.replay(entity, to_version=version).state)
            assert [brief(each) for each in send_each(engine, forked.entity, messages[cut:])] == [
                brief(each) for each in rest
            ]
            assert engine.state(forked.entity) == engine.state(entity)
            told = [(each.version, each.type, each.data) for each in engine.history(entity)]
            assert [(each.version, each.type, each.data) for each in engine.history(forked.entity)] == told

        holds()


def test_a_fork_within_a_message_has_the_state_there(store_url: str) -> None:
    """Every version can be copied, one between two events of a message as well."""
    with travel_engine(store_url) as engine:

        @settings(max_examples=EXAMPLES)
        @given(histories, st.randoms(use_true_random=False))
        def holds(history: tuple[str, list[Message]], chance: Any) -> None:
            type_name, messages = history
            entity = fresh(type_name)
            if not any(sent_states(send_each(engine, entity, messages))):
                return
            version = chance.randint(1, engine.find(entity).version)
            forked = engine.fork(entity, to_version=version)
            assert engine.state(forked.entity) == forked.state == engine.replay(entity, to_version=version).state
            assert engine.find(forked.entity).version == version

        holds()


def told_of(outcome: Tried | Sent | PachydermError) -> Any:
    """Return what trying and sending both say."""
    if isinstance(outcome, PachydermError):
        return type(outcome), outcome.message
    return outcome.version, outcome.state, outcome.events, [each.type for each in outcome.effects]


def tried(engine: Pachyderm, entity: Reference, message: Message, at_version: int | None = None) -> Any:
    """Try a message; return what came of it, as `told_of`."""
    try:
        return told_of(engine.try_send(engine.request(entity, message), at_version=at_version))
    except PachydermError as error:
        return told_of(error)


def test_to_try_is_to_send_without_writing(store_url: str) -> None:
    """What is tried says what the send then leads to, from the first message to a new entity on; no row is touched."""
    with travel_engine(store_url) as engine:
        engine.send("tally:@other", "add")  # there is a store to compare

        @settings(max_examples=EXAMPLES)
        @given(histories)
        def holds(history: tuple[str, list[Message]]) -> None:
            type_name, messages = history
            entity = fresh(type_name)
            for message in messages:
                before = whole(store_url)
                expected = tried(engine, entity, message)
                assert whole(store_url) == before
                [outcome] = send_each(engine, entity, [message])
                assert told_of(outcome) == expected

        holds()


def test_to_try_at_a_version_is_to_send_to_a_copy_of_it(store_url: str) -> None:
    """At an older version, the first one too, a message leads to what it leads to after a fork there."""
    with travel_engine(store_url) as engine:

        @settings(max_examples=EXAMPLES)
        @given(histories, st.randoms(use_true_random=False))
        def holds(history: tuple[str, list[Message]], chance: Any) -> None:
            type_name, messages = history
            entity = fresh(type_name)
            if not any(sent_states(send_each(engine, entity, messages))):
                return
            version = chance.randint(0, engine.find(entity).version)
            copy = engine.fork(entity, to_version=version).entity if version else fresh(type_name)
            message = chance.choice(messages)
            expected = tried(engine, entity, message, at_version=version)
            [outcome] = send_each(engine, copy, [message])
            assert told_of(outcome) == expected

        holds()
