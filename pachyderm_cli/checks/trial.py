"""One sequence of messages to one entity, handled and folded as the engine would, each step held to the contract."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid5

from pachyderm_cli.checks.comparing import canonical, compared
from pachyderm_cli.checks.deciding import Answer, decide
from pachyderm_cli.checks.findings import Broken, Property, Step
from pachyderm_cli.checks.judging import Judge
from pachyderm_cli.config import DEFAULT_NETWORK
from pachyderm_cli.domain.context import Context
from pachyderm_cli.domain.entity import EntityType
from pachyderm_cli.domain.faults import line_of
from pachyderm_cli.domain.message import Event, Message
from pachyderm_cli.domain.reference import Reference, named_id

NAME = "check"
"""The name of the entity that every sequence goes to."""

_IDS = UUID("a5a2c1a0-6f0c-5b4e-9d3c-0b8f6f3f6f10")
_OFTEN = 5
_START = datetime(2026, 1, 1, 12, tzinfo=UTC)


def message_id_of(entity_type: str, at: int, dice: int) -> UUID:
    """Return the id of a sequence's message number `at`, on which the chances of its context depend."""
    return uuid5(_IDS, f"{entity_type}:{at}:{dice}")


class Folded(NamedTuple):
    """An event that was folded, as it is stored, and the state after it as JSON text."""

    type: str
    text: str
    state: str | None


class Handled(NamedTuple):
    """What came of one message, as texts to compare."""

    step: Step
    context: Context
    events: tuple[Folded, ...]
    effects: tuple[str, ...]
    rejection: str | None


class _Given(NamedTuple):
    """What `update` was given, and a copy from before: whoever changes it later is found out."""

    value: Any
    copy: Any
    what: str


class Trial:
    """An entity that lives for one sequence. Its methods raise Broken for what breaks the contract."""

    def __init__(
        self,
        entity_type: EntityType,
        invariants: Mapping[str, Callable[[Any], Any]],
        settled: frozenset[Property] = frozenset(),
        watch: Callable[[Callable[[], Any]], Any] | None = None,
    ) -> None:
        """Begin with the initial state.

        Faults of `settled` properties are known, and end the sequence without a word. `watch` runs `update`, to see
        which of its branches are taken.
        """
        self.entity_type = entity_type
        self.handled: list[Handled] = []
        self._judge = Judge(entity_type, settled)
        self._invariants = {} if Property.INVARIANT in settled else invariants
        self._watch = watch
        self._reference = Reference(entity_type.name, named_id(DEFAULT_NETWORK, entity_type.name, NAME))
        self._now = _START
        self._given: list[_Given] = []
        self._version = 0
        self.state = self._judge.answered(entity_type.initial)
        # Goes on from snapshots alone, of which there is none before the first event.
        self._restored = self._judge.copy(self.state)
        self._hold_invariants(None)

    def send(self, message: Message, step: Step) -> bool:
        """Handle a message; return False if the sequence cannot go on after it."""
        self._now += timedelta(seconds=step.wait)
        message_id = message_id_of(self.entity_type.name, len(self.handled), step.dice)
        context = Context(self._now, message_id, self._reference, self._version)
        try:
            answer = decide(self._judge, message, self.state, context)
            events = () if isinstance(answer, str) else tuple([self._fold(event) for event in answer.events])
        except Broken as broken:
            if broken.fault.property in self._judge.settled:
                return False
            raise
        self.handled.append(_handled(step, context, events, answer))
        return True

    def finish(self) -> None:
        """Fold it all once more from the beginning."""
        entity_type, judge = self.entity_type, self._judge
        problem = "the same events give another state when they are folded again, from the first"
        try:
            state = judge.answered(entity_type.initial)
            events = [event for handled in self.handled for event in handled.events]
            for version, event in enumerate(events, 1):
                read = entity_type.events[event.type].model_validate_json(event.text)
                state = self._applied(state, read, version)
            judge.same(Property.PURE_UPDATE, self.state, state, problem, entity_type.update_line)
        except Broken as broken:
            if broken.fault.property not in judge.settled:
                raise

    def _fold(self, event: Event) -> Folded:
        name = type(event).__name__
        text, stored = self._judge.faithful(event, f"the event {name}", line_of(self.entity_type.handle), self.state)
        self._update(stored)
        self._version += 1
        return Folded(name, text, self._judge.shown(self.state))

    def _update(self, event: Event) -> None:
        """Fold one event, several times over."""
        judge, line, version = self._judge, self.entity_type.update_line, self._version + 1
        name = f"update({type(event).__name__})"
        before, before_copy, event_copy = self.state, judge.copy(self.state), judge.copy(event)
        if self._watch is None:
            new = self._applied(before, event, version)
        else:
            new = self._watch(lambda: self._applied(before, event, version))
        judge.answered(lambda: self.entity_type.require_state(new), before)
        given = [_Given(before, before_copy, "state"), _Given(event, event_copy, "event")]
        for each in given:
            problem = f"{name} changed the {each.what} that it was given"
            judge.same(Property.PURE_UPDATE, each.copy, each.value, problem, line)
        again = self._applied(judge.copy(before_copy), judge.copy(event_copy), version)
        problem = f"{name} gives another state when it is called again"
        judge.same(Property.PURE_UPDATE, new, again, problem, line, state=before_copy)
        for each in self._given:
            problem = f"{name} changed the {each.what} of an earlier update: the two share a part of it"
            judge.same(Property.PURE_UPDATE, each.copy, each.value, problem, line)
        self._given += given
        self._hold_to_snapshot(event_copy, before_copy, new)
        self.state, self._restored = new, judge.restored(new)
        self._hold_invariants(before_copy)

    def _hold_to_snapshot(self, event: Event, before: Any, new: Any) -> None:
        """Require that `update` makes of a state's snapshot what it made of the state."""
        judge, line, version = self._judge, self.entity_type.update_line, self._version + 1
        restored = self._applied(self._restored, judge.copy(event), version)
        if Property.FAITHFUL in judge.settled or compared(new, restored) is None:
            return
        name = f"update({type(event).__name__})"
        for _ in range(_OFTEN):  # what differs from one time to the next differs for that reason alone
            again = self._applied(judge.copy(before), judge.copy(event), version)
            problem = f"{name} gives another state when it is called again"
            judge.same(Property.PURE_UPDATE, new, again, problem, line, state=before)
            if compared(new, again) is not None:
                return
        problem = f"{name} gives another state on what a snapshot gives back"
        judge.same(Property.FAITHFUL, new, restored, problem, line, state=before)

    def _applied(self, state: Any, event: Event, version: int) -> Any:
        return self._judge.answered(lambda: self.entity_type.apply(state, event, version), state)

    def _hold_invariants(self, before: Any) -> None:
        for name, holds in self._invariants.items():
            problem = None
            try:
                answer = holds(self._judge.copy(self.state))
                if answer is not None and not answer:
                    problem = f"{name} does not hold" + ("" if answer is False else f": it returned {answer!r}")
            except Exception as error:  # noqa: BLE001 - whatever it raises says that it does not hold
                problem = f"{name} does not hold: {type(error).__name__}: {error}".rstrip(": ")
            if problem is not None:
                shown = {"before": self._judge.shown(before), "after": self._judge.shown(self.state)}
                self._judge.fail(Property.INVARIANT, problem, line_of(holds), **shown)


def _handled(step: Step, context: Context, events: tuple[Folded, ...], answer: Answer) -> Handled:
    if isinstance(answer, str):
        return Handled(step, context, (), (), answer)
    return Handled(step, context, events, tuple([canonical(each) for each in answer.effects]), None)
