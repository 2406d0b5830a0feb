"""From pydantic's core schema of a type, which has its constraints, to a strategy for values that it takes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from itertools import zip_longest
from typing import Any

from hypothesis import strategies as st
from pydantic_core import SchemaError, SchemaValidator, to_json

from pachyderm_cli.checks.library import BY_KIND, of_format
from pachyderm_cli.checks.scalars import CLASSES, SCALARS, WORDS, Schema, Strategy
from pachyderm_cli.checks.seen import Seen, fresh_or_seen
from pachyderm_cli.errors import UsageError

_LONGEST = 4
"""Members of a list, unless its type asks for more."""
_LONGEST_INNER = 2
"""The same of a list within one."""
_DEEPEST = 3
"""How deep what holds itself is made; a value that grew as it liked would have no end."""

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

# What only pydantic's own functions read: the JSON Schema says of what form it is.
_OF_FORMAT = ("function-plain", "lax-or-strict")

# pydantic takes a list for each of them, and leaves out what a set has twice.
_LISTS = ("list", "set", "frozenset", "deque", "generator")


class Unguessable(UsageError):
    """Nothing is known of a type from which its values could be made."""


_NO_TAG: Mapping[str, Any] = {}


class _TooDeep(Unguessable):
    """Here something would hold itself once more; whatever may be left out or empty is."""


class Walk:
    """One walk over a core schema."""

    def __init__(self, seen: Seen, hooks: Mapping[Any, Any], name: str) -> None:
        """Prefer `hooks`, by class or by "Class.field"; `name` is the class that the walk begins at."""
        self._seen = seen
        self._hooks = hooks
        self._path = name
        self.used: set[Any] = set()  # those hooks that were asked for
        self.fields: set[str] = set()  # that a hook might name, as "Class.field"
        self._definitions: dict[str, Schema] = {}
        self._made: dict[tuple[str, int], Strategy] = {}
        self._references = 0  # to a definition, that the walk is within
        self._lists = 0  # and lists
        self.left_out: list[str] = []  # fields that have a default, and nothing else is known of them

    def of(self, schema: Schema) -> Strategy:
        """Return a strategy for input that the schema takes, more or less: whoever uses it validates.

        Raises Unguessable.
        """
        kind, cls = schema["type"], schema.get("cls")
        if kind in SCALARS:
            cls = CLASSES[kind]
        if isinstance(cls, type) and cls in self._hooks:
            self.used.add(cls)
            return self._hooks[cls]  # type: ignore[no-any-return]  # a strategy, the caller said
        if kind in _INSIDE:
            return self._inside(schema, schema[_INSIDE[kind]])
        if kind in SCALARS:
            return self._scalar(schema)
        if kind in BY_KIND:
            return BY_KIND[kind]
        if kind in _LISTS:
            return self._many(schema, schema.get("items_schema"))
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
                return st.none() | self._unless_unknown(schema["schema"])
            case "chain":
                return self.of(schema["steps"][0])
            case "tuple":
                return self._tuple(schema)
            case "dict" | "counter" | "ordered-dict":
                return self._dict(schema)
            case "union":
                return self._union([each[0] if isinstance(each, tuple) else each for each in schema["choices"]])
            case "tagged-union":
                return self._tagged(schema)
            case "definitions":
                self._definitions.update((each["ref"], each) for each in schema["definitions"])
                return self.of(schema["schema"])
            case "definition-ref":
                return self._reference(schema["schema_ref"])
            case "model" | "dataclass":
                return self._within(schema["cls"].__name__, lambda: self.of(schema["schema"]))
            case "model-fields" | "typed-dict":
                return self._of_fields(schema["fields"].items())
            case "dataclass-args":
                return self._of_fields((field["name"], field) for field in schema["fields"])
            case "named-tuple":
                fields = ((field["name"], field) for field in schema["fields"])
                return self._within(schema["cls"].__name__, lambda: self._of_fields(fields))
            case "call":  # a named tuple, to some versions of pydantic
                return self.of(schema["arguments_schema"])
            case "arguments":
                return self._of_fields((field["name"], field) for field in schema["arguments_schema"])
        found = of_format(schema) if kind in _OF_FORMAT else None
        if found is not None:
            return found
        known = f" ({schema['cls'].__name__})" if "cls" in schema else ""
        raise Unguessable(f"no value of {self._path} can be guessed: pydantic calls its type {kind}{known}; {_HINT}")

    def _inside(self, schema: Schema, inner: Schema) -> Strategy:
        try:
            return self.of(inner)
        except Unguessable:
            found = of_format(schema) if schema["type"] in _OF_FORMAT else None
            if found is None:
                raise
            return found

    def _unless_unknown(self, schema: Schema) -> Strategy:
        """Return a strategy for something that need not be, one for nothing where nothing is known of it."""
        try:
            return self.of(schema)
        except _TooDeep:
            return st.nothing()
        except Unguessable:
            self.left_out.append(self._path)
            return st.nothing()

    def _tagged(self, schema: Schema) -> Strategy:
        """Return a strategy for the members of a union that a field tells apart, with that field, whatever defaults."""
        choices = {tag: each for tag, each in schema["choices"].items() if not isinstance(each, str | int)}
        key = schema["discriminator"]
        if not isinstance(key, str):
            return self._union(choices.values())
        return self._union(choices.values(), [{key: tag} for tag in choices])

    def _union(self, choices: Iterable[Schema], tags: Iterable[Mapping[str, Any]] = ()) -> Strategy:
        found: list[Strategy] = []
        unknown: list[Unguessable] = []
        for each, tag in zip_longest(choices, tags, fillvalue=_NO_TAG):
            try:
                found.append(self.of(each).map(partial(_with, tag)) if tag else self.of(each))
            except Unguessable as error:
                unknown.append(error)
        if not found and unknown:
            raise unknown[0]
        return st.one_of(found)

    def _reference(self, ref: str) -> Strategy:
        if self._references == _DEEPEST:
            raise _TooDeep(f"no value of {self._path} can be guessed: it holds itself; {_HINT}")
        at = ref, self._references
        if at not in self._made:
            self._references += 1
            try:
                self._made[at] = self.of(self._definitions[ref])
            finally:
                self._references -= 1
        return self._made[at]

    def _many(self, schema: Schema, items: Schema | None) -> Strategy:
        """Return a strategy for as many items as a schema takes: none where nothing is known of them."""
        low, high = schema.get("min_length") or 0, schema.get("max_length")
        most = max(low, _LONGEST_INNER if self._lists else _LONGEST)
        inner = self._item(items, _JSON, needed=low > 0)
        if inner is None:
            return st.builds(list)
        return st.lists(inner, min_size=low, max_size=most if high is None else min(high, most))

    def _item(self, schema: Schema | None, otherwise: Strategy, *, needed: bool) -> Strategy | None:
        """Return a strategy for the items of something; None where they would go too deep, and none is needed."""
        if schema is None:
            return otherwise
        self._lists += 1
        try:
            return self.of(schema)
        except _TooDeep:
            if needed:
                raise
            return None
        finally:
            self._lists -= 1

    def _tuple(self, schema: Schema) -> Strategy:
        items, at = schema["items_schema"], schema.get("variadic_item_index")
        if at is None:
            return st.tuples(*map(self.of, items))
        before, after = (st.tuples(*map(self.of, part)) for part in (items[:at], items[at + 1 :]))
        many = self._many(schema, items[at])
        return st.tuples(before, many, after).map(lambda parts: (*parts[0], *parts[1], *parts[2]))

    def _dict(self, schema: Schema) -> Strategy:
        low, high = schema.get("min_length") or 0, schema.get("max_length")
        keys = self._item(schema.get("keys_schema"), WORDS, needed=low > 0)
        values = self._item(schema.get("values_schema"), _JSON, needed=low > 0)
        if keys is None or values is None:
            return st.builds(dict)
        most = max(low, _LONGEST_INNER if self._lists else _LONGEST - 1)
        return st.dictionaries(keys, values, min_size=low, max_size=most if high is None else min(high, most))

    def _of_fields(self, fields: Iterable[tuple[str, Schema]]) -> Strategy:
        required: dict[str, Strategy] = {}
        optional: dict[str, Strategy] = {}
        owner = self._path
        for name, field in fields:
            inner = field["schema"]
            is_optional = inner["type"] == "default" or field.get("required") is False
            made = self._of_field(f"{owner}.{name}", inner, is_optional=is_optional)
            if made is not None:
                (optional if is_optional else required)[_key(name, field.get("validation_alias"))] = made
        return st.fixed_dictionaries(required, optional=optional)

    def _of_field(self, path: str, schema: Schema, *, is_optional: bool) -> Strategy | None:
        """Return a field's strategy; None for one that is left out, since it may be, and nothing is known of it."""
        self.fields.add(path)
        hook = self._hooks.get(path)
        if hook is not None:
            self.used.add(path)
            return hook  # type: ignore[no-any-return]  # a strategy, the caller said
        try:
            return self._within(path, partial(self.of, schema))
        except _TooDeep:
            if is_optional:
                return None
            raise
        except Unguessable:
            if not is_optional:
                raise
            self.left_out.append(path)
            return None

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
        return fresh if kind is None else fresh_or_seen(self._seen, kind, fits, fresh)


def _with(tag: Mapping[str, Any], value: Any) -> Any:
    return {**value, **tag} if isinstance(value, Mapping) else value


def _key(name: str, alias: Any) -> str:
    """Return the key that a field is given by: its alias, or the first of several that is a plain key."""
    if isinstance(alias, str):
        return alias
    paths = alias if isinstance(alias, list) else []
    plain = [each[0] if isinstance(each, list) else each for each in paths if isinstance(each, str) or len(each) == 1]
    return next((each for each in plain if isinstance(each, str)), name)
