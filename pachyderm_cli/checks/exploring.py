"""Looking for sequences of messages that break the contract, and for the smallest of them."""

from __future__ import annotations

import contextlib
import io
import math
import time
import warnings
from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky, HypothesisException, Unsatisfiable, UnsatisfiedAssumption
from pydantic_core import to_json

from pachyderm_cli.checks.agreeing import agree
from pachyderm_cli.checks.branches import BranchWatch
from pachyderm_cli.checks.elsewhere import Elsewhere
from pachyderm_cli.checks.findings import Broken, Counterexample, Fault, Property, Step
from pachyderm_cli.checks.pristine import Pristine, project_modules
from pachyderm_cli.checks.seen import Seen
from pachyderm_cli.checks.trial import Trial
from pachyderm_cli.checks.values import ValidatorFailed, Values
from pachyderm_cli.checks.walk import Unguessable
from pachyderm_cli.domain.codec import Unfaithful, encode_model
from pachyderm_cli.domain.entity import EntityType
from pachyderm_cli.domain.faults import origin
from pachyderm_cli.domain.message import Message
from pachyderm_cli.errors import EntityLoadError

_LONGEST = 15  # messages of a sequence
_SHORT = 2  # with so many, none is looked for that has fewer
_ENOUGH_SHRINKING = 2_000  # sequences, after the first that broke something
_LARGEST = 3_000  # characters of a sequence as JSON; Hypothesis takes no example that needs too many choices
_SECONDS, _LEAST_SECONDS = 6.0, 1.0  # of this process's own time: for all searches, and for each of them at least
_USUAL = 200  # examples in that time; for more there is more

_WAITS = st.sampled_from([0, 0, 0, 1, 60, 3_600, 86_400, 40 * 86_400])  # seconds

Play = tuple[tuple[Message, Step], ...]


class _Enough(BaseException):
    """The search is over; Hypothesis lets through what is no Exception."""


class Exploration:
    """The search through the sequences of one entity type."""

    def __init__(
        self,
        entity_type: EntityType,
        invariants: Mapping[str, Callable[[Any], Any]],
        hooks: Mapping[Any, Any],
        elsewhere: Elsewhere,
        *,
        searches: bool = True,
    ) -> None:
        """Search with `hooks` for values, and ask `elsewhere` what comes of each sequence there. Raises Unguessable.

        Unless it `searches`, it only judges sequences that are known.
        """
        self.entity_type = entity_type
        self._invariants = invariants
        self._elsewhere = elsewhere
        self._pristine = Pristine(project_modules(entity_type))
        self._seen = Seen()
        self.unmade: dict[str, Unguessable] = {}  # messages of which nothing is known
        self.values = Values(self._seen, hooks)
        self._messages = self._strategies() if searches else []
        self.has_drawn = False
        self._began = time.process_time()
        self.watch = BranchWatch(entity_type.update)
        self.drawn: set[str] = set()
        self.accepted: set[str] = set()
        self.emitted: set[str] = set()

    def _end_of_search(self, share: float) -> float:
        """Return when a search that begins now ends at the latest, by this process's own time."""
        return max(self._began + _SECONDS * share, time.process_time() + _LEAST_SECONDS * share)

    def _strategies(self) -> list[st.SearchStrategy[Message]]:
        """Return what makes the messages; those of which nothing is known are left out, unless that is all of them."""
        found = []
        for name, model in self.entity_type.messages.items():
            try:
                found.append(self.values.of(model))
            except Unguessable as error:
                self.unmade[name] = error
        if self.unmade and not found:
            raise next(iter(self.unmade.values()))
        return found

    def search(
        self, settled: frozenset[Property], number: int, examples: int, progress: Callable[[int], None]
    ) -> tuple[int, Counterexample | None]:
        """Try up to so many `examples`; return how many were tried, and the smallest that broke an unsettled property.

        The random `number` decides which are tried. Raises Unguessable if pydantic takes none.
        """
        search = _Search(self, settled, progress, _LONGEST)
        self.values.takes_failures = Property.TOTAL in settled
        self._run(search, number, examples)
        if search.unvalidated is not None:
            return search.count, search.unvalidated
        if search.smallest is None:
            if self.has_drawn and not self.drawn and not settled:
                raise self._nothing_valid()
            return search.count, None
        return search.count, self._shortest(self._tidied(search.smallest, settled), number, examples)

    def _run(self, search: _Search, number: int, examples: int) -> None:
        aside = io.StringIO()
        with contextlib.redirect_stdout(aside), contextlib.redirect_stderr(aside), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                search.until = self._end_of_search(max(1, examples / _USUAL))
                _test(search.example, number, examples)
            except (_Enough, Broken, Flaky, ValidatorFailed):
                pass  # what it was is known
            except Unsatisfiable as error:
                raise self._nothing_valid() from error
            except HypothesisException:
                if search.smallest is None:
                    raise

    def _nothing_valid(self) -> Unguessable:
        refused = "; ".join(self.values.refused.values())
        return Unguessable(
            f"no valid message of {self.entity_type.name} was found by guessing{f' ({refused})' if refused else ''}; "
            "say how to make them in the module: strategies = {Class: a strategy of Hypothesis}"
        )

    def _shortest(self, found: Counterexample, number: int, examples: int) -> Counterexample:
        """Look for a counterexample with fewer messages: one that takes other values is no smaller form of this one."""
        others = frozenset(Property) - {found.fault.property}
        while len(found.steps) > _SHORT:
            search = _Search(self, others, lambda _: None, len(found.steps) - 1)
            self._run(search, number, examples)
            if search.smallest is None:
                break
            found = self._tidied(search.smallest, others)
        return found

    def judge(self, play: Play, settled: frozenset[Property], *, watch: bool = False) -> None:
        """Hold a sequence against the contract. Raises Broken."""
        self._pristine.restore()
        trial = Trial(self.entity_type, self._invariants, settled, self.watch.run if watch else None)
        for message, step in play:
            if not trial.send(message, step):
                break
        self.conclude(trial, settled)

    def conclude(self, trial: Trial, settled: frozenset[Property]) -> None:
        """Hold what a trial came to against the contract. Raises Broken."""
        trial.finish()
        if {Property.PURE_UPDATE, Property.PURE_HANDLE} <= settled:
            return
        agree(self.entity_type, trial.handled, self._elsewhere.ask(trial.handled), settled)

    def begin(self, settled: frozenset[Property]) -> Trial:
        """Return a fresh entity."""
        self._pristine.restore()
        self._seen.clear()
        return Trial(self.entity_type, self._invariants, settled, self.watch.run)

    def draw(self, data: st.DataObject) -> tuple[Message, Step]:
        """Draw a message, and how long after the last one it comes. Raises ValidatorFailed, EntityLoadError."""
        self.has_drawn = True
        try:
            message = data.draw(st.sampled_from(self._messages).flatmap(lambda strategy: strategy))
        except (UnsatisfiedAssumption, ValidatorFailed):
            raise
        except Exception as error:
            file, line = origin(error, self.entity_type.file, 1)
            if file != self.entity_type.file:  # it fails within Hypothesis, or is made in another module
                file, line = self.entity_type.file, 1
            told = f"{file}:{line}: a strategy of the module failed: {type(error).__name__}: {error}".rstrip(": ")
            raise EntityLoadError(told, file=file, line=line) from error
        wait, dice = (data.draw(_WAITS), data.draw(st.integers(0, 7))) if self.entity_type.takes_context else (0, 0)
        try:
            text = encode_model(message)
        except Unfaithful:
            text = repr(message)
        return message, Step(type(message).__name__, text, wait, dice)

    def note(self, trial: Trial, message: Message, settled: frozenset[Property]) -> None:
        """Remember what came up."""
        self.drawn.add(type(message).__name__)
        self._seen.note(message)
        if not trial.handled:
            return
        handled = trial.handled[-1]
        if handled.rejection is None:
            self.accepted.add(handled.step.message)
            self.emitted.update(event.type for event in handled.events)
        if not {Property.PURE_UPDATE, Property.PURE_HANDLE} & settled:  # what comes by chance would make the search so
            self._seen.note(trial.state)

    def _tidied(self, found: tuple[Play, Fault], settled: frozenset[Property]) -> Counterexample:
        """Return the counterexample without the messages that it does not take."""
        play, fault = found
        at = 0
        while at < len(play):
            shorter = (*play[:at], *play[at + 1 :])
            try:
                self.judge(shorter, settled)
            except Broken as broken:
                if broken.fault.property is fault.property:
                    play, fault = shorter, broken.fault
                    continue
            at += 1
        return Counterexample(fault, tuple(step for _, step in play))


class _Search:
    """One run of Hypothesis."""

    def __init__(
        self,
        exploration: Exploration,
        settled: frozenset[Property],
        progress: Callable[[int], None],
        longest: int,
    ) -> None:
        self._longest = longest  # messages of a sequence
        self._exploration = exploration
        self._settled = settled
        self._progress = progress
        self._shrinking = 0
        self.count = 0
        self.smallest: tuple[Play, Fault] | None = None
        self.unvalidated: Counterexample | None = None  # a message whose own validator fails
        self.until = math.inf  # by this process's own clock

    def example(self, data: st.DataObject) -> None:
        """Draw a sequence, message by message, and judge it. Raises Broken."""
        if self.smallest is not None:
            self._shrinking += 1
            if self._shrinking > _ENOUGH_SHRINKING or time.process_time() > self.until:
                raise _Enough
        elif time.process_time() > self.until:  # what was tried till then is counted
            raise _Enough
        play: Play = ()
        try:
            trial = self._exploration.begin(self._settled)
            while self._has_room(play) and data.draw(st.integers(0, _LONGEST)):
                message, step = self._exploration.draw(data)
                play = (*play, (message, step))
                if not trial.send(message, step):
                    break
                self._exploration.note(trial, message, self._settled)
            self._exploration.conclude(trial, self._settled)
        except ValidatorFailed as failed:
            self._keep(failed)
            raise
        except Broken as broken:
            # Of two that are as long, what comes later in shrinking is simpler.
            if self.smallest is None or _size(play) <= _size(self.smallest[0]):
                self.smallest = play, broken.fault
            raise
        if self.smallest is None:
            self.count += 1
            self._progress(self.count)

    def _has_room(self, play: Play) -> bool:
        return len(play) < self._longest and sum(len(step.data) for _, step in play) < _LARGEST

    def _keep(self, failed: ValidatorFailed) -> None:
        """Keep the smallest message whose own validator fails: it is no message that could be sent to the trial."""
        entity_type = self._exploration.entity_type
        failure = entity_type.failure(f"the validation of {failed.model.__name__}", failed.error)
        file, line = str(failure.details["file"]), int(failure.details["line"])
        data = to_json(failed.value, fallback=repr).decode()
        if self.unvalidated is None or len(data) <= len(self.unvalidated.steps[0].data):
            step = Step(failed.model.__name__, data)
            self.unvalidated = Counterexample(Fault(Property.TOTAL, failure.message, file, line), (step,))


def _size(play: Play) -> tuple[int, int]:
    return len(play), sum(len(step.data) + step.wait for _, step in play)


def _test(example: Callable[[st.DataObject], None], number: int, examples: int) -> None:
    quietly = settings(
        max_examples=examples,
        database=None,
        deadline=None,
        derandomize=False,
        phases=(Phase.generate, Phase.shrink),
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
        print_blob=False,
    )
    seed(number)(quietly(given(st.data())(example)))()
