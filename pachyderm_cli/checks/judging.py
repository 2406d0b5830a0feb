"""What every judgement of a trial needs: telling a fault with all that is known of it, copies, comparisons."""

from __future__ import annotations

import re
from collections.abc import Callable
from copy import deepcopy
from typing import Any, NamedTuple, NoReturn, TypeVar

from pydantic import BaseModel

from pachyderm_cli.checks.comparing import change, compared, paths_between, pointer
from pachyderm_cli.checks.findings import Broken, Fault, Property
from pachyderm_cli.domain.codec import (
    Unfaithful,
    encode_faithfully,
    encode_model,
    encode_state,
    encode_state_faithfully,
)
from pachyderm_cli.domain.entity import EntityType
from pachyderm_cli.errors import EntityFailed

_NONE = object()
_BY_JSON = "would be changed by JSON"

ValueT = TypeVar("ValueT")
ModelT = TypeVar("ModelT", bound=BaseModel)


class Judge:
    """Tells the faults of one entity type's code. Its methods raise Broken.

    Properties in `settled` are known to be broken already: what only compares or asks for more says nothing of them.
    """

    def __init__(self, entity_type: EntityType, settled: frozenset[Property]) -> None:
        """Judge the code of `entity_type`."""
        self.entity_type = entity_type
        self.settled = settled

    def fail(self, broken: Property, problem: str, line: int, **known: Any) -> NoReturn:
        """Raise a fault that stands at `line` of the module."""
        if "paths" not in known:
            known["paths"] = paths_between(known.get("before"), known.get("after"))
        raise Broken(Fault(broken, problem, self.entity_type.file, line, **known))

    def answered(self, run: Callable[[], ValueT], before: Any = None) -> ValueT:
        """Return what user code returns; where it fails it does not answer in every state."""
        try:
            return run()
        except EntityFailed as error:
            raise self.failure(error, Property.TOTAL, before) from error

    def failure(self, error: EntityFailed, broken: Property, before: Any) -> Broken:
        """Return the fault that an error of user code is."""
        file, line = str(error.details.get("file", self.entity_type.file)), int(error.details.get("line", 1))
        return Broken(Fault(broken, error.message, file, line, self.shown(before)))

    def same(self, broken: Property, once: Any, again: Any, problem: str, line: int, *, state: Any = _NONE) -> None:
        """Require that two values are the same: one before and after, or what came once and again at a `state`."""
        if broken in self.settled:
            return
        found = compared(once, again)
        if found is None:
            return
        states = {"before": found.before, "after": found.after}
        if state is not _NONE:
            states = {"before": self.shown(state), "after": found.before, "otherwise": found.after}
        self.fail(broken, problem, line, **states, paths=found.paths)

    def copy(self, value: ValueT) -> ValueT:
        """Return a deep copy."""
        try:
            return deepcopy(value)
        except Exception as error:  # noqa: BLE001 - any class may refuse in its own way
            problem = f"a {type(value).__name__} cannot be copied, so that it is no state: {error}"
            self.fail(Property.FAITHFUL, problem, self.entity_type.update_line)

    def faithful(self, value: ModelT, what: str, line: int, before: Any) -> tuple[str, ModelT]:
        """Return a message, event or effect as JSON text, and as that gives it back."""
        try:
            return encode_faithfully(value)
        except Unfaithful as error:
            told = _told(error, lambda: (value, type(value).model_validate_json(encode_model(value))))
            self._unfaithful(what, told, line, before)
        except Exception as error:  # noqa: BLE001 - a validator of the user's own
            told = _Told(f"it cannot be read again: {type(error).__name__}: {error}", "/")
            self._unfaithful(what, told, line, before)

    def _unfaithful(self, what: str, told: _Told, line: int, before: Any) -> NoReturn:
        problem = f"{what} does not survive JSON: {told.problem}"
        self.fail(Property.FAITHFUL, problem, line, before=self.shown(before), paths=(told.path,))

    def restored(self, state: ValueT) -> ValueT:
        """Return the state as its snapshot gives it back."""
        adapter = self.entity_type.state_adapter
        try:
            return adapter.validate_json(encode_state_faithfully(adapter, state))  # type: ignore[no-any-return]  # as it was
        except Unfaithful as error:
            if Property.FAITHFUL in self.settled:
                return self.copy(state)
            told = _told(error, lambda: (state, adapter.validate_json(encode_state(adapter, state))))
            problem = f"the state does not survive a snapshot: {told.problem}"
            line = self.entity_type.update_line
            self.fail(Property.FAITHFUL, problem, line, after=self.shown(state), paths=(told.path,))

    def shown(self, state: Any) -> str | None:
        """Return a state as JSON text, None where it has none."""
        try:
            return self.entity_type.state_json(state)
        except EntityFailed:
            return None


class _Told(NamedTuple):
    """What JSON does to a value, and where, as a JSON Pointer."""

    problem: str
    path: str


def _told(error: Unfaithful, read_again: Callable[[], tuple[Any, Any]]) -> _Told:
    """Return what is wrong with a value; `read_again` returns it as it was and as it comes back."""
    path = pointer(re.sub(r"^\w+", "", error.path))  # it begins with the name of what it is in
    if _BY_JSON not in str(error):
        return _Told(str(error), path)
    return _Told(f"{error.path}: {change(*read_again())}", path)
