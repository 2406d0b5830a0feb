"""The law of lookup: a condition finds what the same filter in Python finds, on both databases."""

import operator
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import uuid4

from hypothesis import given, settings
from hypothesis import strategies as st

from pachyderm_cli import Pachyderm, Reference
from tests.support import record
from tests.support.record import Become, Owner, State

EXAMPLES = 40

# Few values of each kind, so that conditions meet them; some that only an exact or typed comparison keeps apart.
counts = st.sampled_from([-2, -1, 0, 1, 9, 10, 2**53, 2**53 + 1])
ratios = st.sampled_from([-1.5, -0.0, 0.1, 0.30000000000000004, 2.0, 1e300])
amounts = st.sampled_from([Decimal(each) for each in ("-0.01", "0", "0.1", "0.10", "9.5", "10", "1E+3")])
texts = st.sampled_from(["", "a", "B", "b", "10", "9", "null", "true", "é", "a=b", "it's"])
zones = st.sampled_from([UTC, timezone(timedelta(hours=2)), timezone(timedelta(hours=-11))])
hours = st.integers(0, 4)
times = st.builds(
    lambda zone, hour: (datetime(2026, 1, 1, 10, tzinfo=UTC) + timedelta(hours=hour)).astimezone(zone), zones, hours
)
states = st.builds(
    State,
    count=counts,
    ratio=ratios,
    amount=amounts,
    text=texts,
    at=st.none() | times,
    ready=st.none() | st.booleans(),
    owner=st.none() | st.builds(Owner, name=texts, age=st.none() | st.integers(0, 3)),
    marks=st.dictionaries(st.sampled_from(["x", "y"]), st.none() | st.integers(0, 2) | texts, max_size=2),
)

Reads = Callable[[State], Any]
_READS: dict[str, Reads] = {
    "count": lambda state: state.count,
    "ratio": lambda state: state.ratio,
    "amount": lambda state: state.amount,
    "text": lambda state: state.text,
    "at": lambda state: state.at,
    "ready": lambda state: state.ready,
    "owner.name": lambda state: None if state.owner is None else state.owner.name,
    "owner.age": lambda state: None if state.owner is None else state.owner.age,
}
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "count": counts,
    "ratio": ratios,
    "amount": amounts,
    "text": texts,
    "at": times,
    "ready": st.booleans(),
    "owner.name": texts,
    "owner.age": st.integers(0, 3),
}


def written(value: Any) -> str:
    """Return a value as a condition has it; text quoted, since some of it would be null otherwise."""
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _condition(field: str) -> st.SearchStrategy[tuple[str, str, Any]]:
    with_value = st.tuples(st.just(field), st.sampled_from(sorted(_OPERATORS)), _VALUES[field])
    return with_value | st.tuples(st.just(field), st.sampled_from(["=", "!=", "<"]), st.none())


conditions = st.sampled_from(sorted(_READS)).flatmap(_condition)


def holds(condition: tuple[str, str, Any], state: State) -> bool:
    """Tell by Python alone whether a state fulfils a condition."""
    field, sign, wanted = condition
    value = _READS[field](state)
    if value is None or wanted is None:
        same = value is None and wanted is None
        return same if sign in ("=", "==") else not same if sign == "!=" else False
    return _OPERATORS[sign](value, wanted)


def filled(engine: Pachyderm, those: list[State]) -> dict[Reference, State]:
    """Give each state to a record of a network of its own; return them."""
    kept = {Reference("record", uuid4()): state for state in those}
    engine.send_all([engine.request(entity, Become(state=state)) for entity, state in kept.items()])
    return kept


def text_of(condition: tuple[str, str, Any]) -> str:
    """Return a condition as it is written."""
    field, sign, wanted = condition
    return f"{field}{sign}{'null' if wanted is None else written(wanted)}"


def test_conditions_find_what_python_finds(store_url: str) -> None:
    """All conditions together hold for what is found and for nothing else, in the order of ids; nothing is stale."""

    @settings(max_examples=EXAMPLES)
    @given(st.lists(states, max_size=6), st.lists(conditions, min_size=1, max_size=3))
    def law(those: list[State], wanted: list[tuple[str, str, Any]]) -> None:
        with Pachyderm(store_url, {"record": record}, network=f"n-{uuid4()}") as engine:
            kept = filled(engine, those)
            found = engine.lookup("record", where=[text_of(each) for each in wanted])
            expected = [entity for entity, state in kept.items() if all(holds(each, state) for each in wanted)]
            assert [each.head.entity for each in found.found] == sorted(expected, key=lambda entity: entity.id)
            assert [each.state for each in found.found] == [kept[each.head.entity] for each in found.found]
            assert found.stale == 0

    law()


def test_the_order_is_that_of_python(store_url: str) -> None:
    """By a field, up or down, with what has none last and equals by id; a limit takes the first of them."""

    @settings(max_examples=EXAMPLES)
    @given(st.lists(states, max_size=6), st.sampled_from(sorted(_READS)), st.booleans(), st.integers(0, 6))
    def law(those: list[State], field: str, is_falling: bool, limit: int) -> None:  # noqa: FBT001 - Hypothesis gives it by name or place
        with Pachyderm(store_url, {"record": record}, network=f"n-{uuid4()}") as engine:
            kept = filled(engine, those)
            read = _READS[field]
            by_id = sorted(kept, key=lambda entity: entity.id)
            having = [entity for entity in by_id if read(kept[entity]) is not None]
            having.sort(key=lambda entity: read(kept[entity]), reverse=is_falling)
            expected = having + [entity for entity in by_id if read(kept[entity]) is None]
            sort = f"-{field}" if is_falling else field
            assert [each.head.entity for each in engine.lookup("record", sort=sort).found] == expected
            limited = engine.lookup("record", sort=sort, limit=limit).found
            assert [each.head.entity for each in limited] == expected[:limit]

    law()


def test_values_of_a_dict_are_found_by_their_own_type(store_url: str) -> None:
    """What stands in a dict under a key is compared as what it is; where the key is missing, it is nothing."""

    @settings(max_examples=EXAMPLES)
    @given(st.lists(states, max_size=6), st.sampled_from(["=", "!="]), st.none() | st.integers(0, 2) | texts)
    def law(those: list[State], sign: str, wanted: int | str | None) -> None:
        with Pachyderm(store_url, {"record": record}, network=f"n-{uuid4()}") as engine:
            kept = filled(engine, those)
            text = "null" if wanted is None else written(wanted)
            found = {each.head.entity for each in engine.lookup("record", where=[f"marks.x{sign}{text}"]).found}
            is_same = {entity: state.marks.get("x") == wanted for entity, state in kept.items()}
            assert found == {entity for entity, same in is_same.items() if same is (sign == "=")}

    law()
