"""Deciding and folding: what user code does wrong is EntityFailed, naming its file and line."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from pachyderm_cli import Context, Reference, Rejected
from pachyderm_cli.domain.entity import EntityType
from pachyderm_cli.errors import EntityFailed
from tests.support.modules import COUNTER, line_of, load

CONTEXT = Context(datetime(2026, 1, 1, tzinfo=UTC), UUID(int=1), Reference("entity", UUID(int=2)), 3)
YIELD = "    yield Increased(amount=message.amount)\n"
SOURCE = (
    COUNTER.replace("Iterator[Increased]", "'Iterator[Increased | Alert]'")
    + """

class Alert(Effect):
    def dispatch(self, config: dict) -> None:
        pass


class Unnamed(Effect):
    def dispatch(self, config: dict) -> None:
        pass


class Unread(Event):
    pass


def helper(value: int) -> int:
    return 1 // value
"""
)


def failed(call: Callable[[], Any]) -> EntityFailed:
    """Return the EntityFailed that `call` raises."""
    with pytest.raises(EntityFailed) as caught:
        call()
    return caught.value


def deciding(tmp_path: Path, body: str) -> tuple[EntityType, str]:
    """Return an entity whose `handle` has another body, and its source."""
    source = SOURCE.replace(YIELD, f"    {body}\n")
    return load(tmp_path, source), source


def decide(entity: EntityType) -> Any:
    """Return what the entity decides on an increment."""
    return entity.decide(entity.messages["Increment"](), entity.initial(), CONTEXT)


@pytest.mark.parametrize(
    "body",
    [
        "yield Increased(amount=1); yield Alert()",
        "return [Increased(amount=1), Alert()]",
        "return (x for x in (Alert(), Increased(amount=1)))",
        "return {'a': Increased(amount=1), 'b': Alert()}.values()",
    ],
)
def test_any_iterable_of_events_and_effects_is_a_decision(tmp_path: Path, body: str) -> None:
    """A generator, a list or whatever else iterates gives its events and its effects, each in order."""
    entity, _ = deciding(tmp_path, body)
    decision = decide(entity)
    assert [type(event).__name__ for event in decision.events] == ["Increased"]
    assert [type(effect).__name__ for effect in decision.effects] == ["Alert"]


@pytest.mark.parametrize("body", ["return []", "return; yield", "return ()"])
def test_nothing_is_a_decision(tmp_path: Path, body: str) -> None:
    """No events and no effects is a fine answer."""
    entity, _ = deciding(tmp_path, body)
    decision = decide(entity)
    assert (decision.events, decision.effects) == ((), ())


def test_a_rejection_comes_through(tmp_path: Path) -> None:
    """Rejected is raised as it is, even after events were yielded."""
    entity, _ = deciding(
        tmp_path, "yield Increased(amount=1); from pachyderm_cli import Rejected; raise Rejected('no')"
    )
    with pytest.raises(Rejected, match="no"):
        decide(entity)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("pass", "handle returned None, not an iterable"),
        ("return None", "handle returned None"),
        ("return Increased(amount=1)", "handle returned a Increased"),
        ("return Alert()", "handle returned a Alert"),
        ("return 'Increased'", "handle returned a str"),
        ("return {'amount': 1}", "handle returned a dict"),
        ("return 3", "handle returned a int"),
        ("return [None]", "handle emitted None, which is neither"),
        ("return [message]", "handle emitted a Increment, which is neither"),
        ("return [Increased]", "which is neither"),
        ("return [Alert()]", "handle emitted the effect Alert without any event"),
        ("return [Increased(amount=1), Unnamed()]", "the effect Unnamed, which its annotation does not name"),
    ],
)
def test_a_broken_contract_names_handle(tmp_path: Path, body: str, said: str) -> None:
    """What `handle` must not answer is told with the line where it begins."""
    entity, source = deciding(tmp_path, body)
    error = failed(lambda: decide(entity))
    assert said in error.message
    assert error.details["file"] == str(tmp_path / "entities" / "entity.py")
    assert error.details["line"] == line_of(source, "def handle")


@pytest.mark.parametrize("body", ["return [Unread()]", "yield type('Increased', (Event,), {})()"])
def test_an_event_that_update_does_not_take_names_update(tmp_path: Path, body: str) -> None:
    """An event that could not be read again, or only looks like one that could, is refused."""
    entity, source = deciding(tmp_path, body)
    error = failed(lambda: decide(entity))
    assert "which update does not take" in error.message
    assert error.details["line"] == line_of(source, "def update")


@pytest.mark.parametrize(
    ("body", "start", "said"),
    [
        ("raise RuntimeError('oh')", "raise RuntimeError", "RuntimeError: oh"),
        ("yield Increased(amount='many')", "yield Increased", "ValidationError"),
        ("yield helper(0)", "return 1 // value", "ZeroDivisionError"),
        ("raise SystemExit(3)", "raise SystemExit", "SystemExit: 3"),
        ("return map(helper, [0])", "return 1 // value", "ZeroDivisionError"),
        ("import json; json.loads('{')", "import json", "JSONDecodeError"),
    ],
)
def test_an_exception_names_the_user_s_line(tmp_path: Path, body: str, start: str, said: str) -> None:
    """The deepest line of the user's own file is named, not one of a library or of pachyderm."""
    entity, source = deciding(tmp_path, body)
    error = failed(lambda: decide(entity))
    line = line_of(source, start)
    assert error.details == {
        "file": str(tmp_path / "entities" / "entity.py"),
        "line": line,
        "entity_type": "entity",
    }
    assert f"entity: handle(Increment) failed at {tmp_path}/entities/entity.py:{line}: " in error.message
    assert said in error.message


def test_an_update_that_fails_names_event_and_version(tmp_path: Path) -> None:
    """The error says at which version of the history the fold stopped."""
    source = SOURCE.replace("    return State(count=state.count", "    helper(0)\n    return State(count=state.count")
    entity = load(tmp_path, source)
    event = entity.read_event("Increased", '{"amount":1}', 1)
    error = failed(lambda: entity.apply(entity.initial(), event, 7))
    assert "update(Increased) at version 7 failed" in error.message
    assert error.details["line"] == line_of(source, "return 1 // value")


def test_a_rejection_in_update_is_a_failure(tmp_path: Path) -> None:
    """What happened cannot be rejected any more."""
    source = SOURCE.replace(
        "    return State(count=state.count", "    from pachyderm_cli import Rejected\n    raise Rejected('late')\n#"
    )
    entity = load(tmp_path, source)
    event = entity.read_event("Increased", '{"amount":1}', 1)
    assert "Rejected: late" in failed(lambda: entity.apply(entity.initial(), event, 1)).message


def test_an_init_that_fails_is_named(tmp_path: Path) -> None:
    """`init` is user code like any other."""
    entity = load(tmp_path, SOURCE.replace("    return State()\n", "    return State(count=helper(0))\n"))
    assert "entity: init failed at" in failed(entity.initial).message


def test_an_event_is_read_as_it_was_stored(tmp_path: Path) -> None:
    """The class of the name makes the event from its text."""
    entity = load(tmp_path, SOURCE)
    event = entity.read_event("Increased", '{"amount":3}', 1)
    assert type(event) is entity.events["Increased"]
    assert event.model_dump() == {"amount": 3}


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("Increasd", "{}", "cannot read the event Increasd at version 4"),
        ("Increasd", "{}", "did you mean Increased?"),
        ("Increased", "{", "Invalid JSON"),
        ("Increased", "{}", "Increased.amount: Field required"),
        ("Increased", '{"amount":1,"more":2}', "Increased.more: Extra inputs"),
        ("Increased", '{"amount":"many"}', "Increased.amount: Input should be a valid integer"),
    ],
)
def test_an_event_that_cannot_be_read_is_named(tmp_path: Path, name: str, text: str, said: str) -> None:
    """Event, version and what does not fit are told; nothing is skipped."""
    entity = load(tmp_path, SOURCE)
    error = failed(lambda: entity.read_event(name, text, 4))
    assert said in error.message
    assert error.details["version"] == 4
    assert error.details["line"] == line_of(SOURCE, "def update")


def test_the_context_s_dice_follow_from_message_and_version() -> None:
    """The same message at the same version throws the same; another throws another."""

    def thrown(message_id: int, version: int) -> list[float]:
        context = Context(CONTEXT.now, UUID(int=message_id), CONTEXT.reference, version)
        return [context.random.random() for _ in range(3)]

    assert thrown(1, 1) == thrown(1, 1)
    assert len({str(thrown(1, 1)), str(thrown(1, 2)), str(thrown(2, 1))}) == 3
    assert len(set(thrown(1, 1))) == 3
