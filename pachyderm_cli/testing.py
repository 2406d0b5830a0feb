"""For the tests of entities: given, when, then; every property of `pachyderm check` as tests; an engine to send to.

    from entities import counter
    from pachyderm_cli.testing import entity_tests, given

    def test_ten_alerts_the_admin():
        given(counter, Increased(amount=9)).when(Increment()).then(Increased(amount=1), AlertAdmin(threshold=10))

    TestCounter = entity_tests(counter)

Only `entity_tests` and `hold` need Hypothesis (`pip install 'pachyderm-cli[check]'`), and only the fixture pytest.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from pachyderm_cli.checks.comparing import compared
from pachyderm_cli.checks.extra import require_hypothesis
from pachyderm_cli.checks.findings import Property, Report, Step, sentence
from pachyderm_cli.domain.context import Context
from pachyderm_cli.domain.entity import Decision, EntityType
from pachyderm_cli.domain.message import Effect, Event, Message
from pachyderm_cli.domain.naming import suggestion
from pachyderm_cli.domain.protocol import read_entity
from pachyderm_cli.domain.reference import Reference
from pachyderm_cli.engine.loader import FolderEntityTypes
from pachyderm_cli.errors import Rejected, UsageError

if TYPE_CHECKING:
    from pachyderm_cli.engine.engine import Pachyderm

_NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
_ID = UUID(int=1)

Module = ModuleType | str | Path
"""An entity module: imported, or the name of its entity type in this project, or its file."""


def given(module: Module, *events: Event, state: Any = ..., now: datetime = _NOW) -> Given:
    """Return an entity to which these events have happened, or one in that `state`.

    A handle that takes a context sees the time `now`.
    """
    entity_type = _entity_type(module)
    _require_own(entity_type, *events)
    folded = entity_type.initial() if state is ... else state
    for version, event in enumerate(events, 1):
        folded = entity_type.apply(folded, event, version)
    return Given(entity_type, folded, len(events), now)


class Given:
    """An entity that is asked something, once or several times after one another."""

    def __init__(self, entity_type: EntityType, state: Any, version: int, now: datetime) -> None:
        """Begin at a state."""
        self._entity_type = entity_type
        self._now = now
        self._version = version
        self.state = state
        self._answer: Decision | Rejected | None = None

    def when(self, message: Message) -> Self:
        """Handle a message, and fold what it leads to. A fault of user code raises EntityFailed."""
        entity_type = self._entity_type
        _require_own(entity_type, message)
        context = Context(self._now, _ID, Reference(entity_type.name, _ID), self._version)
        try:
            self._answer = entity_type.decide(message, entity_type.own_state(self.state), context)
        except Rejected as rejected:
            self._answer = rejected
            return self
        for event in self._answer.events:
            self._version += 1
            self.state = entity_type.apply(self.state, event, self._version)
        return self

    def then(self, *results: Event | Effect) -> Self:
        """Require these events and effects of the last message, the events in order, and the effects in theirs."""
        answer = self._answered()
        _require_own(self._entity_type, *results)
        assert not isinstance(answer, Rejected), f"the message was rejected: {answer.reason}"
        events = [each for each in results if isinstance(each, Event)]
        effects = [each for each in results if not isinstance(each, Event)]
        for name, wanted, came in (("events", events, answer.events), ("effects", effects, answer.effects)):
            assert list(came) == wanted, f"these {name} were wanted: {wanted!r}; and these came: {list(came)!r}"
        return self

    def then_nothing(self) -> Self:
        """Require that the last message led to nothing."""
        return self.then()

    def then_rejected(self, reason: str | None = None) -> Self:
        """Require that the last message was rejected, for that reason if one is given."""
        answer = self._answered()
        assert isinstance(answer, Rejected), f"the message was not rejected; it led to {answer.events}"
        if reason is not None:
            assert answer.reason == reason, f"it was rejected because {answer.reason!r}, not {reason!r}"
        return self

    def then_state(self, state: Any) -> Self:
        """Require that state, to the type and the scale of a number."""
        found = compared(state, self.state)
        if found is not None:
            _require_same_class(type(state), type(self.state))
        assert found is None, f"the states differ at {', '.join(found.paths)}: {state!r} wanted, {self.state!r} there"
        return self

    def _answered(self) -> Decision | Rejected:
        if self._answer is None:
            raise UsageError("nothing was asked yet: call when(message) first")
        return self._answer


def entity_tests(module: Module, *, max_examples: int | None = None, seed: int | None = None) -> type:
    """Return a class of pytest tests, one for each property that `pachyderm check` looks at.

    Assign it to a name that begins with `Test`. The sequences are tried once, when the first of its tests runs; a
    fixed `seed` (by default 0) makes every run the same.
    """
    reports: list[Report] = []

    def report() -> Report:
        if not reports:
            reports.append(_checked(module, max_examples, seed or 0))
        return reports[0]

    def test_of(wanted: Property) -> Callable[[Any], None]:
        def test(_self: Any) -> None:
            _require(report(), wanted)

        test.__doc__ = sentence(wanted)
        return test

    return type("EntityTests", (), {f"test_{wanted}": test_of(wanted) for wanted in Property})


def hold(module: Module, broken: str, messages: Iterable[tuple[Any, ...]]) -> None:
    """Hold a sequence of messages against the contract; raise AssertionError where it breaks the property `broken`.

    Each message is its name and its JSON text, as `pachyderm check` prints them; then how many seconds after the one
    before it comes, and which of a few message ids it has.
    """
    require_hypothesis()
    from pachyderm_cli.checks.check import hold_sequence  # noqa: PLC0415 - needs Hypothesis

    if broken not in set(Property):
        raise UsageError(f"there is no property {broken!r}; {suggestion(broken, Property)}")
    folder, entity_type = _place_of(module)
    fault = hold_sequence(entity_type, [Step(*each) for each in messages], Property(broken), folder)
    assert fault is None, f"{fault.problem} ({fault.file}:{fault.line})"


def _checked(module: Module, max_examples: int | None, seed: int) -> Report:
    require_hypothesis()
    from pachyderm_cli.checks.check import EXAMPLES, Wish, check  # noqa: PLC0415 - needs Hypothesis

    folder, entity_type = _place_of(module)
    return check(entity_type, Wish(max_examples or EXAMPLES, seed), folder=folder)


def _require(report: Report, wanted: Property) -> None:
    from pachyderm_cli.checks.telling import told  # noqa: PLC0415 - as above

    assert wanted not in report.failed(), told(report, wanted)


def _entity_type(module: Module) -> EntityType:
    return _place_of(module)[1]


def _place_of(module: Module) -> tuple[Path | None, EntityType]:
    """Return the entity type, and the folder of entity modules from which another process loads it."""
    if isinstance(module, ModuleType):
        name = module.__name__.rpartition(".")[2]
        return None, read_entity(name, module)
    if isinstance(module, str) and module.endswith(".py"):
        module = Path(module)
    if isinstance(module, Path):
        return module.parent, FolderEntityTypes(module.parent).get(module.stem)
    from pachyderm_cli.config import load_config  # noqa: PLC0415 - for a name only

    folder = load_config(None).entities
    if folder is None:
        raise UsageError(f"this is no project, so that {module!r} names no entity module: give the module itself")
    return folder, FolderEntityTypes(folder).get(module)


def _require_own(entity_type: EntityType, *values: Message | Event | Effect) -> None:
    """Raise UsageError for a message, event or effect of a class that only has the name of one of the type's."""
    for value in values:
        name = type(value).__name__
        for known in (entity_type.messages, entity_type.events, entity_type.effects):
            if name in known:
                _require_same_class(type(value), known[name])


def _require_same_class(given: type, known: type) -> None:
    """Raise UsageError where two classes of one name come from two places."""
    if given is not known and given.__name__ == known.__name__:
        places = [f"{each.__module__} ({_file_of(each)})" for each in (given, known)]
        raise UsageError(
            f"there are two classes called {given.__name__}, one in {places[0]} and one in {places[1]}: "
            "import it from where the entity module is imported, or give that module itself"
        )


def _file_of(cls: type) -> str:
    return getattr(sys.modules.get(cls.__module__), "__file__", None) or "no file"


def _engine(tmp_path: Path) -> Iterator[Pachyderm]:
    """Yield an engine for this project's entities on a temporary store."""
    from pachyderm_cli.config import load_config  # noqa: PLC0415 - for the fixture only
    from pachyderm_cli.engine.engine import Pachyderm  # noqa: PLC0415 - as above

    config = load_config(None, store=f"sqlite:///{tmp_path / 'pachyderm.db'}")
    with Pachyderm.from_config(config) as opened:
        yield opened


def __getattr__(name: str) -> Any:
    """Make the fixture when it is asked for: pytest is no dependency."""
    if name != "pachyderm":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import pytest  # noqa: PLC0415 - as said

    _engine.__name__ = "pachyderm"
    globals()["pachyderm"] = fixture = pytest.fixture(_engine)
    return fixture
