"""An entity type: what it accepts and can read, and the two things it does, decide and fold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cached_property
from types import GeneratorType
from typing import Any, NamedTuple

from pydantic import PydanticUserError, TypeAdapter, ValidationError

from pachyderm_cli.domain.codec import Unfaithful, encode_state, encode_state_faithfully
from pachyderm_cli.domain.context import Context
from pachyderm_cli.domain.evolution import Reader, readable_names, readers_of, upcast, version_of
from pachyderm_cli.domain.faults import line_of, origin, told
from pachyderm_cli.domain.fingerprint import SourceUnavailable, fingerprint_of
from pachyderm_cli.domain.immutability import is_immutable
from pachyderm_cli.domain.message import OUR_EFFECTS, Effect, Event, Message, Question
from pachyderm_cli.domain.named_tuples import made
from pachyderm_cli.domain.naming import suggestion
from pachyderm_cli.domain.plainness import fits_plainly, plain_kinds
from pachyderm_cli.errors import EntityFailed, Rejected


class Decision(NamedTuple):
    """What `handle` answered: the events to append and the effects to run once they are."""

    events: tuple[Event, ...]
    effects: tuple[Effect, ...]


@dataclass(frozen=True)
class EntityType:
    """An entity module, read: its name, the classes of its protocol by name, and its functions.

    With `lookup` the newest state of each entity is kept for those who look entities up by it.

    `handle` and `update` are called through `decide` and `apply` only, which turn whatever user code does wrong
    into EntityFailed naming its file and line.
    """

    name: str
    file: str
    messages: Mapping[str, type[Message]]
    events: Mapping[str, type[Event]]
    effects: Mapping[str, type[Effect]]
    questions: Mapping[str, type[Question]]
    doc: str
    handle: Callable[..., Any] = field(repr=False)
    update: Callable[[Any, Any], Any] = field(repr=False)
    init: Callable[[], Any] | None = field(repr=False)
    state_type: Any = field(repr=False)
    takes_context: bool
    query: Callable[[Any, Any], Any] | None = field(default=None, repr=False)
    answer_type: Any = field(default=None, repr=False)
    lookup: bool = False

    @cached_property
    def state_adapter(self) -> TypeAdapter[Any]:
        """What reads and writes the state as JSON."""
        return TypeAdapter(self.state_type)

    @cached_property
    def _plain_kinds(self) -> list[type[Any]] | None:
        return plain_kinds(self.state_type)

    @cached_property
    def spellings(self) -> dict[str, type[Message]]:
        """The spellings that messages were asked for by so far, and what they meant."""
        return {}

    @cached_property
    def fingerprint(self) -> str | None:
        """The fingerprint of state schema and reducer; None where there is no source, so no trust either."""
        try:
            schema = str(self.state_adapter.json_schema(mode="serialization"))
        except (PydanticUserError, ValueError, TypeError):  # a type that has no JSON Schema; its source still counts
            schema = repr(self.state_type)
        try:
            functions = [each for each in (self.handle, self.update, self.init) if each is not None]
            return fingerprint_of(functions, schema)
        except SourceUnavailable:
            return None

    @cached_property
    def has_immutable_state(self) -> bool:
        """Whether no state can be changed in place, so that one object may be handed to many."""
        return is_immutable(self.state_type)

    def own_state(self, state: Any) -> Any:
        """Return `state` if it cannot be changed in place, or else a deep copy. Raises EntityFailed without one."""
        if self.has_immutable_state:
            return state
        try:
            return deepcopy(state)
        except Exception as error:
            raise self.failure("copying the state", error) from error

    def initial(self) -> Any:
        """Return the state before any event."""
        if self.init is None:
            return None
        try:
            return self.own_state(self.init())  # it may hand out the same object again
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            raise self.failure("init", error) from error

    def decide(self, message: Message, state: Any, context: Context | None) -> Decision:
        """Return what the entity answers to `message`; the context is for a `handle` that takes one.

        Raises Rejected, or EntityFailed for a fault of its code.
        """
        try:
            answer = self.handle(message, state, context) if self.takes_context else self.handle(message, state)
            results = list(answer) if type(answer) in _USUAL or not _is_no_iterable(answer) else None
        except Rejected:
            raise
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            raise self.failure(f"handle({type(message).__name__})", error) from error
        if results is None:
            raise self.broken(f"handle returned {_described(answer)}, not an iterable of events and effects")
        return self._checked(results)

    def apply(self, state: Any, event: Event, version: int) -> Any:
        """Return the state after `event`, the entity's event number `version`."""
        try:
            return self.update(event, state)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            raise self.failure(f"update({type(event).__name__}) at version {version}", error) from error

    def answer(self, question: Question, state: Any) -> Any:
        """Return what `query` says to `question`. Raises Rejected, or EntityFailed for a fault of its code."""
        assert self.query is not None  # noqa: S101 - for mypy: whoever has a question of the type knows
        try:
            return self.query(question, state)
        except Rejected:
            raise
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            raise self.failure(f"query({type(question).__name__})", error) from error

    @cached_property
    def answer_adapter(self) -> TypeAdapter[Any]:
        """What writes an answer as JSON."""
        return TypeAdapter(self.answer_type)

    def answer_json(self, answer: Any) -> str:
        """Return an answer as JSON text. Raises EntityFailed where it has none."""
        try:
            return encode_state(self.answer_adapter, answer)
        except Unfaithful as error:
            raise self.broken(f"query gave an answer that cannot be shown: {error}", line_of(self.query)) from error

    @cached_property
    def event_names(self) -> dict[str, type[Event]]:
        """The event classes by every name that a stored event may have."""
        return readable_names(self.events.values())

    @cached_property
    def event_versions(self) -> dict[type[Event], int]:
        """The version of each event class."""
        return {each: version_of(each) for each in self.events.values()}

    @cached_property
    def readers(self) -> dict[tuple[str, int], Reader]:
        """What reads an event's JSON text, by the name and the version of its class that it is stored with."""
        return readers_of(self.event_names)

    def fold(self, state: Any, stored: Iterable[tuple[int, str, str, int]]) -> Any:
        """Return the state after the events `stored`: version, type, JSON text and class version of each, in order.

        Raises EntityFailed, naming the event that cannot be read or folded.
        """
        update, readers = self.update, self.readers
        for version, type_name, text, written in stored:
            try:
                event = readers[type_name, written](text)
            except Exception:  # noqa: BLE001 - a validator of the event's own may raise anything
                event = self.read_event(type_name, text, version, written)  # says what is wrong with it
            try:
                state = update(event, state)
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                raise self.failure(f"update({type_name}) at version {version}", error) from error
        return state

    def read_event(self, type_name: str, text: str, version: int, written: int = 1) -> Event:
        """Return the event that is stored as `text`, `written` in that version of its class.

        Raises EntityFailed where this module cannot read it.
        """
        model = self.event_names.get(type_name)
        if model is None:
            known = suggestion(type_name, self.event_names)
            hint = "a class that was renamed names its former name in `aliases`"
            problem = f"update ({self.file}) takes no such event; {known}; {hint}"
            raise self._unreadable(f"the event {type_name} at version {version}: {problem}", type_name, version)
        newest = version_of(model)
        if written > newest:
            newer = f"newer code wrote it: its class has version {written} there, and {newest} in {self.file}"
            raise self._unreadable(f"the event {type_name} at version {version}: {newer}", type_name, version)
        try:
            current = text if written == newest else upcast(model, text, written)
        except Exception as error:
            failed = f"upcast of the event {type_name} at version {version}"
            raise self.failure(failed, error, event=type_name, version=version) from error
        try:
            return model.model_validate_json(current)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            path = ".".join([type_name, *(str(part) for part in first["loc"])])
            outdated = f"(the class {model.__name__} in {self.file} no longer fits what is stored)"
            problem = f"the event at version {version}: {path}: {first['msg']} {outdated}"
            raise self._unreadable(problem, type_name, version) from error
        except Exception as error:  # a validator of the event's own
            failed = f"the event {type_name} at version {version}"
            raise self.failure(failed, error, event=type_name, version=version) from error

    def _unreadable(self, problem: str, type_name: str, version: int) -> EntityFailed:
        return EntityFailed(
            f"{self.name} cannot read {problem}",
            file=self.file,
            line=self.update_line,
            entity_type=self.name,
            event=type_name,
            version=version,
        )

    def require_state(self, state: Any) -> None:
        """Raise EntityFailed if `state` is None and may not be: `update` lacks a `return`."""
        if state is None and not self._admits_none:
            raise self.broken("update returned None, which is no state; does it lack a return?", self.update_line)

    @cached_property
    def _admits_none(self) -> bool:
        try:
            return self.state_adapter.validate_python(None) is None
        except Exception:  # noqa: BLE001 - user code validates too
            return False

    def state_json(self, state: Any) -> str:
        """Return the state as JSON text, for showing. Raises EntityFailed where it has none."""
        fits = fits_plainly(state, self.state_type, self._plain_kinds)
        try:
            return encode_state(self.state_adapter, state, fits=fits)
        except Unfaithful as error:
            raise self.broken(f"update led to a state that cannot be shown: {error}", self.update_line) from error

    def snapshot_json(self, state: Any) -> str:
        """Return the state as JSON text that decodes to the same state. Raises EntityFailed if there is none."""
        try:
            return encode_state_faithfully(self.state_adapter, state)
        except Unfaithful as error:
            raise self.broken(f"no snapshot can be taken: {error}", self.update_line) from error

    def failure(self, where: str, error: BaseException, **details: Any) -> EntityFailed:
        """Return the EntityFailed for an exception out of user code, with the file and line it came from."""
        file, line = origin(error, self.file, line_of(self.handle))
        return EntityFailed(
            f"{self.name}: {where} failed at {file}:{line}: {told(error)}",
            file=file,
            line=line,
            entity_type=self.name,
            **details,
        )

    def broken(self, problem: str, line: int | None = None) -> EntityFailed:
        """Return the EntityFailed for a contract that user code broke without an exception."""
        line = line_of(self.handle) if line is None else line
        return EntityFailed(
            f"{self.name}: {problem} ({self.file}:{line})", file=self.file, line=line, entity_type=self.name
        )

    @property
    def update_line(self) -> int:
        """The line on which `update` begins."""
        return line_of(self.update)

    def _checked(self, results: Iterable[Any]) -> Decision:
        events: list[Event] = []
        effects: list[Effect] = []
        for result in results:
            kind = type(result)
            if self.events.get(kind.__name__) is kind:
                events.append(result)
            elif self.effects.get(kind.__name__) is kind or kind in OUR_EFFECTS:
                effects.append(result)
            else:
                raise self._stray(result)
        if effects and not events:
            raise self.broken(f"handle emitted the effect {type(effects[0]).__name__} without any event")
        return made(Decision, (tuple(events), tuple(effects)))

    def _stray(self, result: Any) -> EntityFailed:
        """Return the error for something that `handle` is not to emit."""
        name = type(result).__name__
        if isinstance(result, Event):
            problem = f"handle emitted the event {name}, which update does not take; add it to update's annotation"
            return self.broken(problem, self.update_line)
        if isinstance(result, Effect):
            return self.broken(f"handle emitted the effect {name}, which its annotation does not name")
        return self.broken(f"handle emitted {_described(result)}, which is neither an event nor an effect")


_USUAL = frozenset({GeneratorType, list, tuple})  # answers of `handle`; the rest takes longer to find out


def _is_no_iterable(answer: Any) -> bool:
    """Tell a forgotten list (`return Increased()`) from a list; models, strings and dicts iterate, but not so."""
    return isinstance(answer, Event | Effect | str | bytes | Mapping) or not isinstance(answer, Iterable)


def _described(value: Any) -> str:
    return "None" if value is None else f"a {type(value).__name__}"
