"""From pydantic's core schema of a type, which has its constraints, to a strategy for values that it takes."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from hypothesis import strategies as st
from pydantic_core import SchemaError, SchemaValidator, to_json

from pachyderm_cli.checks.scalars import SCALARS, WORDS, Schema, Strategy
from pachyderm_cli.checks.seen import Seen
from pachyderm_cli.errors import UsageError

_LONGEST = 4
"""Members of a list, unless its type asks for more."""

_HINT = 'say how in the module: strategies = {"Class.field": a strategy of Hypothesis, …}'
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-12, 12) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=5,
)

_INSIDE = {
    **dict.fromkeys(("custom-error", "default", "function-after", "function-before", "function-wrap"), "schema"),
    "lax-or-strict": "lax_schema",
    "json-or-python": "json_schema",
}
"""Types around another one, and where they have it: whoever uses the value validates it."""

# pydantic takes a list for each of them, and leaves out what a set has twice.
_LISTS = ("list", "set", "frozenset", "deque", "generator")


class Unguessable(UsageError):
    """Nothing is known of a type from which its values could be made."""


class Walk:
    """One walk over a core schema."""

    def __init__(self, seen: Seen, hooks: Mapping[Any, Any], name: str) -> None:
        """Prefer `hooks`, by class or by "Class.field"; `name` is the class that the walk begins at."""
        self._seen = seen
        self._hooks = hooks
        self._path = name
        self.used: set[Any] = set()  # those hooks that were asked for
        self._definitions: dict[str, Schema] = {}
        self._deferred: dict[str, Strategy] = {}
        self._annotations: Mapping[str, Any] = {}  # of the class that is walked through

    def of(self, schema: Schema) -> Strategy:
        """Return a strategy for input that the schema takes, more or less: whoever uses it validates.

        Raises Unguessable.
        """
        kind, cls = schema["type"], schema.get("cls")
        if isinstance(cls, type) and cls in self._hooks:
            self.used.add(cls)
            return self._hooks[cls]  # type: ignore[no-any-return]  # a strategy, the caller said
        if kind in _INSIDE:
            return self.of(schema[_INSIDE[kind]])
        if kind in SCALARS:
            return self._scalar(schema)
        if kind in _LISTS:
            return self._list(schema)
        return self._of_parts(kind, schema)

    def _of_parts(self, kind: str, schema: Schema) -> Strategy:  # noqa: C901, PLR0912 - a case for each kind there is
        match kind:
            case "any":
                return _JSON
            case "json":
                inner = self.of(schema["schema"]) if "schema" in schema else _JSON
                return inner.map(lambda value: to_json(value).decode())
            case "none":
                return st.none()
            case "bool":
                return st.booleans()
            case "literal" | "enum":
                return st.sampled_from(list(schema["expected" if kind == "literal" else "members"]))
            case "nullable":
                return st.none() | self.of(schema["schema"])
            case "chain":
                return self.of(schema["steps"][0])
            case "tuple":
                return self._tuple(schema)
            case "dict":
                return self._dict(schema)
            case "union":
                return st.one_of([self.of(each[0] if isinstance(each, tuple) else each) for each in schema["choices"]])
            case "tagged-union":
                choices = schema["choices"].values()
                return st.one_of([self.of(each) for each in choices if not isinstance(each, str | int)])
            case "definitions":
                self._definitions.update((each["ref"], each) for each in schema["definitions"])
                return self.of(schema["schema"])
            case "definition-ref":
                return self._reference(schema["schema_ref"])
            case "model" | "dataclass":
                return self._within(schema["cls"].__name__, lambda: self._of_class(schema))
            case "model-fields" | "typed-dict":
                return self._of_fields(schema["fields"].items())
            case "dataclass-args":
                return self._of_fields((field["name"], field) for field in schema["fields"])
        known = f" ({schema['cls'].__name__})" if "cls" in schema else ""
        raise Unguessable(f"no value of {self._path} can be guessed: pydantic calls its type {kind}{known}; {_HINT}")

    def _of_class(self, schema: Schema) -> Strategy:
        before, self._annotations = self._annotations, _annotations_of(schema["cls"])
        try:
            return self.of(schema["schema"])
        finally:
            self._annotations = before

    def _reference(self, ref: str) -> Strategy:
        if ref not in self._deferred:
            path = self._path
            self._deferred[ref] = st.deferred(lambda: self._within(path, lambda: self.of(self._definitions[ref])))
        return self._deferred[ref]

    def _list(self, schema: Schema) -> Strategy:
        low, high = schema.get("min_length") or 0, schema.get("max_length")
        most = max(low, _LONGEST)
        inner = self.of(schema["items_schema"]) if "items_schema" in schema else _JSON
        return st.lists(inner, min_size=low, max_size=most if high is None else min(high, most))

    def _tuple(self, schema: Schema) -> Strategy:
        items, at = schema["items_schema"], schema.get("variadic_item_index")
        if at is None:
            return st.tuples(*map(self.of, items))
        before, after = (st.tuples(*map(self.of, part)) for part in (items[:at], items[at + 1 :]))
        low, high = schema.get("min_length") or 0, schema.get("max_length")
        most = max(low, _LONGEST)
        many = st.lists(self.of(items[at]), min_size=low, max_size=most if high is None else min(high, most))
        return st.tuples(before, many, after).map(lambda parts: (*parts[0], *parts[1], *parts[2]))

    def _dict(self, schema: Schema) -> Strategy:
        low = schema.get("min_length") or 0
        keys = self.of(schema["keys_schema"]) if "keys_schema" in schema else WORDS
        values = self.of(schema["values_schema"]) if "values_schema" in schema else _JSON
        return st.dictionaries(keys, values, min_size=low, max_size=max(low, 3))

    def _of_fields(self, fields: Iterable[tuple[str, Schema]]) -> Strategy:
        required: dict[str, Strategy] = {}
        optional: dict[str, Strategy] = {}
        owner = self._path
        for name, field in fields:
            inner = field["schema"]
            is_optional = inner["type"] == "default" or field.get("required") is False
            made = self._of_field(f"{owner}.{name}", inner, self._annotations.get(name), is_optional=is_optional)
            if made is not None:
                (optional if is_optional else required)[_key(name, field.get("validation_alias"))] = made
        return st.fixed_dictionaries(required, optional=optional)

    def _of_field(self, path: str, schema: Schema, annotation: Any, *, is_optional: bool) -> Strategy | None:
        """Return a field's strategy; None for one that is left out, since it may be, and nothing is known of it."""
        hook = self._hooks.get(path)
        if hook is not None:
            self.used.add(path)
            return hook  # type: ignore[no-any-return]  # a strategy, the caller said
        try:
            return self._within(path, partial(self.of, schema))
        except Unguessable:
            if _is_well_known(annotation):
                return st.from_type(annotation)
            if is_optional:
                return None
            raise

    def _within(self, path: str, make: Callable[[], Strategy]) -> Strategy:
        before, self._path = self._path, path
        try:
            return make()
        finally:
            self._path = before

    def _scalar(self, schema: Schema) -> Strategy:
        """Return a strategy for fresh values, and for those of that type that came up before and fit."""
        kind, make = SCALARS[schema["type"]]
        try:
            fresh = make(schema)
        except re.error as error:  # pydantic's patterns are not quite Python's
            raise Unguessable(f"no value of {self._path} can be guessed: its pattern, {error}; {_HINT}") from error
        plain = {key: value for key, value in schema.items() if key not in ("ref", "metadata", "serialization")}
        try:
            fits = SchemaValidator(plain).isinstance_python
        except SchemaError:
            return fresh
        return fresh if kind is None else _or_seen(self._seen, kind, fits, fresh)


def _annotations_of(cls: type) -> Mapping[str, Any]:
    fields: Mapping[str, Any] = getattr(cls, "model_fields", {}) or {}
    return {name: field.annotation for name, field in fields.items()}


def _is_well_known(annotation: Any) -> bool:
    """Tell whether Hypothesis knows a type of which pydantic's schema says nothing: the library's, and named tuples."""
    if not isinstance(annotation, type) or annotation.__module__ == "builtins":
        return False
    return issubclass(annotation, tuple) or annotation.__module__.partition(".")[0] in sys.stdlib_module_names


def _key(name: str, alias: Any) -> str:
    """Return the key that a field is given by: its alias, or the first of several that is a plain key."""
    if isinstance(alias, str):
        return alias
    paths = alias if isinstance(alias, list) else []
    plain = [each[0] if isinstance(each, list) else each for each in paths if isinstance(each, str) or len(each) == 1]
    return next((each for each in plain if isinstance(each, str)), name)


@st.composite
def _or_seen(draw: Any, seen: Seen, kind: type, fits: Callable[[Any], bool], fresh: Strategy) -> Any:
    known = [value for value in seen.of(kind) if fits(value)]
    return draw(st.sampled_from(known) if known and draw(st.booleans()) else fresh)
