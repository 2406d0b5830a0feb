"""The search for sequences of messages that break the contract, and what a report says of them."""

import re
from pathlib import Path

import pytest

from pachyderm_cli.checks import exploring
from pachyderm_cli.checks.findings import Property, Step
from pachyderm_cli.checks.walk import Unguessable
from pachyderm_cli.errors import EntityLoadError
from pachyderm_cli.testing import hold
from tests.checks.checking import checked, found, tally
from tests.support.modules import line_of

ADDED = "            return state + amount"
RAISED = f"            if amount > 3:\n                raise ValueError(amount)\n{ADDED}"
EMPTIED = "            return 0"
DIVIDED = "            return 0 * (10 // (state - 5))"


def test_an_immediate_fault_takes_one_message(tmp_path: Path) -> None:
    """The counterexample is the one message that does it, with its least value, and says where the fault is."""
    source = tally((ADDED, RAISED))
    report = checked(tmp_path, source)
    assert report.failed() == {Property.TOTAL}
    one = found(report, Property.TOTAL)
    assert one.steps == (Step("Add", '{"amount":4}'),)
    assert "ValueError" in one.fault.problem
    assert (one.fault.file, one.fault.line) == (str(tmp_path / "entities/entity.py"), line_of(source, "raise Value"))
    assert one.fault.before == "0"


def test_a_fault_that_needs_two_messages_takes_two(tmp_path: Path) -> None:
    """What only happens at one state takes the shortest way there."""
    one = found(checked(tmp_path, tally((EMPTIED, DIVIDED)), examples=100), Property.TOTAL)
    assert one.steps == (Step("Add", '{"amount":5}'), Step("Reset", "{}"))
    assert one.fault.before == "5"


def test_the_same_seed_finds_the_same(tmp_path: Path) -> None:
    """Two checks with one seed come to equal reports, with all examples and counterexamples."""
    source = tally((EMPTIED, DIVIDED), more="def invariant(state: int) -> bool:\n    return state < 12\n")
    first, second = (checked(tmp_path, source, seed=5) for _ in range(2))
    assert first == second
    assert first.seed == 5


def test_every_broken_property_is_told(tmp_path: Path) -> None:
    """After one property is known to be broken, the search goes on for the others."""
    lost = "            yield Emptied()\n            raise Rejected('no')"
    source = tally(
        (ADDED, RAISED),
        ("            yield Emptied()", lost),
        more="def invariant(state: int) -> bool:\n    return state < 2\n",
    )
    report = checked(tmp_path, source, examples=60)
    assert report.failed() == {Property.TOTAL, Property.ATOMIC, Property.INVARIANT}
    assert found(report, Property.ATOMIC).steps == (Step("Reset", "{}"),)
    assert found(report, Property.INVARIANT).steps == (Step("Add", '{"amount":2}'),)
    assert report.notes == []
    assert report.examples[Property.FAITHFUL] == 60


def test_what_user_code_prints_goes_nowhere(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Standard output is for reports, here and in the other process, which answers there."""
    report = checked(tmp_path, tally((ADDED, f"            print('added', flush=True)\n{ADDED}")), examples=5)
    assert report.counterexamples == []
    assert capfd.readouterr() == ("", "")


def test_each_sequence_begins_as_a_fresh_process(tmp_path: Path) -> None:
    """What code left in its module is put back, so that the counterexample is the whole story."""
    counted = (
        f"            CALLS.append(amount)\n            if len(CALLS) > 8:\n                raise ValueError\n{ADDED}"
    )
    report = checked(tmp_path, tally((ADDED, counted), more="CALLS = []\n"), examples=100)
    one = found(report, Property.TOTAL)
    assert {step.message for step in one.steps} == {"Add"}
    file = tmp_path / "entities" / "entity.py"
    for _ in range(2):
        with pytest.raises(AssertionError, match="ValueError"):
            hold(file, "total", one.steps)
    hold(file, "total", one.steps[1:])


def test_notes_tell_what_was_never_reached(tmp_path: Path) -> None:
    """Messages that were never accepted, events that never came and branches never taken are notes, with their line."""
    source = tally(
        (
            "        case Reset():\n            yield Emptied()",
            "        case Reset():\n            raise Rejected('no')",
        ),
        (ADDED, f"            if amount > 10:\n                return 7\n{ADDED}"),
    )
    report = checked(tmp_path, source)
    file = tmp_path / "entities" / "entity.py"
    assert report.is_sound
    assert report.notes == [
        "the message Reset was never accepted",
        "the event Emptied was never emitted",
        f"a branch of update was never taken: if amount > 10 ({file}:{line_of(source, 'return 7')})",
        f"a branch of update was never taken: case Emptied() ({file}:{line_of(source, 'case Emptied') + 1})",
    ]


def test_a_branch_that_only_raises_is_no_note(tmp_path: Path) -> None:
    """What says itself that it is never taken is not told; nor is anything else of what was reached."""
    never = (
        f"            if amount > 10:\n                raise ValueError\n{ADDED}",
        "            return 0\n        case _:\n            assert_never(event)",
    )
    source = tally((ADDED, never[0]), (EMPTIED, never[1]), more="from typing import assert_never\n")
    report = checked(tmp_path, source)
    assert report.is_sound
    assert report.notes == []


INVARIANTS = """
@invariant
def is_small(state: int) -> bool:
    return state < 7


def invariant(state: int) -> bool:
    return True


def unmarked(state: int) -> bool:
    return False
"""


def test_invariants_are_found_by_name_and_by_mark(tmp_path: Path) -> None:
    """A function called `invariant` and those that are marked hold at every state; any other is none."""
    report = checked(tmp_path, tally(more=INVARIANTS))
    assert report.invariants == ("invariant", "is_small")
    one = found(report, Property.INVARIANT)
    assert one.steps == (Step("Add", '{"amount":7}'),)
    assert (one.fault.problem, one.fault.before, one.fault.after) == ("is_small does not hold", "0", "7")


def test_an_invariant_that_raises_does_not_hold(tmp_path: Path) -> None:
    """An exception in an invariant says so, at the first state already; None is no answer and no fault."""
    raising = "@invariant\ndef never(state: int) -> bool:\n    assert state, 'empty'\n    return True\n"
    silent = "@invariant\ndef silent(state: int) -> None:\n    pass\n\n\n"
    one = found(checked(tmp_path, tally(more=silent + raising), examples=5), Property.INVARIANT)
    assert one.steps == ()
    assert one.fault.problem == "never does not hold: AssertionError: empty"


CONTEXT = """
class Clock(BaseModel):
    model_config = ConfigDict(frozen=True)

    first: datetime | None = None
    last: datetime | None = None
    dice: int = 0


class Tick(Message):
    pass


class Ticked(Event):
    at: datetime
    dice: int


def init() -> Clock:
    return Clock()


def handle(message: Tick, state: Clock, context: Context) -> Iterator[Ticked]:
    yield Ticked(at=context.now, dice=context.random.randint(1, 6))


def update(event: Ticked, state: Clock) -> Clock:
    return Clock(first=state.first or event.at, last=event.at, dice=event.dice)


def invariant(state: Clock) -> bool:
    return {holds}
"""


def test_time_passes_between_messages(tmp_path: Path) -> None:
    """A handle that takes a context sees later times; the counterexample has them, and needs them."""
    source = tally(more=CONTEXT.format(holds="not state.first or state.last - state.first < timedelta(days=2)"))
    one = found(checked(tmp_path, source), Property.INVARIANT)
    assert [step.message for step in one.steps] == ["Tick", "Tick"]
    assert one.steps[1].wait >= 2 * 86_400
    file = tmp_path / "entities" / "entity.py"
    with pytest.raises(AssertionError, match="invariant does not hold"):
        hold(file, "invariant", one.steps)
    hold(file, "invariant", [step._replace(wait=0) for step in one.steps])


def test_each_message_has_chances_of_its_own(tmp_path: Path) -> None:
    """A handle that takes a context draws differently for other messages; the counterexample draws the same again."""
    one = found(checked(tmp_path, tally(more=CONTEXT.format(holds="state.dice != 6"))), Property.INVARIANT)
    with pytest.raises(AssertionError, match="invariant does not hold"):
        hold(tmp_path / "entities" / "entity.py", "invariant", one.steps)


HOOKS = {
    "a dict for a class": "strategies = {Add: st.builds(Add, amount=st.sampled_from([3, 5]))}",
    "a function for a field": "def strategies() -> dict[str, Any]:\n    return {'Add.amount': st.sampled_from([3, 5])}",
}
ONE_MESSAGE = """
from collections.abc import Iterator
from typing import Annotated
from pydantic import AfterValidator, ConfigDict, Field
from pachyderm_cli import Event, Message

class Odd:
    pass

def never(value: int) -> int:
    raise ValueError

def divide(value: int) -> int:
    return value if 12 // value else value

class Add(Message):
    model_config = ConfigDict(arbitrary_types_allowed=True)
    {field}

class Added(Event):
    pass

def init() -> int:
    return 0

def handle(message: Add, state: int) -> Iterator[Added]:
    yield Added()

def update(event: Added, state: int) -> int:
    return state + 1
"""
SMALL = "def invariant(state: int) -> bool:\n    return state < 11\n"


@pytest.mark.parametrize("kind", HOOKS)
def test_strategies_of_the_module_are_used(tmp_path: Path, kind: str) -> None:
    """A dict, or a function that returns one, says how to make what annotations tell too little of."""
    one = found(checked(tmp_path, tally(more=f"{HOOKS[kind]}\n\n\n{SMALL}")), Property.INVARIANT)
    assert {step.data for step in one.steps} <= {'{"amount":3}', '{"amount":5}'}


@pytest.mark.parametrize("written", ["strategies = 3", "strategies = [Add]", "def strategies() -> None:\n    pass"])
def test_strategies_that_are_no_dict_are_refused(tmp_path: Path, written: str) -> None:
    """Anything else called `strategies` is an error of the module, which says what to write."""
    with pytest.raises(EntityLoadError, match="write strategies = ") as caught:
        checked(tmp_path, tally(more=f"{written}\n"))
    assert caught.value.details["file"] == str(tmp_path / "entities" / "entity.py")


def test_what_cannot_be_guessed_is_named(tmp_path: Path) -> None:
    """A message whose type tells nothing is a note that names its field; the others are tried."""
    report = checked(tmp_path, tally(("amount: int = Field(ge=0, le=9)", "amount: type[int]")), examples=20)
    assert report.notes[0].startswith("the message Add was not tried: no value of Add.amount can be guessed")
    assert report.examples[Property.TOTAL] == 20


def test_nothing_is_said_to_hold_where_no_message_can_be_made(tmp_path: Path) -> None:
    """A type of whose messages pydantic takes none that was made is an error, and not sound for want of trying."""
    only = ONE_MESSAGE.format(field="amount: Annotated[int, AfterValidator(never)]")
    with pytest.raises(Unguessable, match="no valid message of entity was found"):
        checked(tmp_path, only)
    with pytest.raises(Unguessable, match=r"no value of Add\.amount can be guessed: its pattern, bad escape"):
        checked(tmp_path, ONE_MESSAGE.format(field='amount: str = Field(pattern="^\\\\p{Lu}$")'))


def test_a_validator_that_fails_is_a_fault(tmp_path: Path) -> None:
    """What a message's own validator raises, but for a ValueError, is told with its line and the smallest message."""
    report = checked(tmp_path, ONE_MESSAGE.format(field="amount: Annotated[int, AfterValidator(divide)]"))
    one = found(report, Property.TOTAL)
    assert "ZeroDivisionError" in one.fault.problem
    assert [(step.message, step.data) for step in one.steps] == [("Add", '{"amount":0}')]
    assert report.failed() == {Property.TOTAL}
    assert report.examples[Property.FAITHFUL] == 40
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        hold(tmp_path / "entities" / "entity.py", "total", one.steps)


def test_a_field_that_may_be_left_out_is(tmp_path: Path) -> None:
    """Of a type of which nothing is known no value is needed where the field has a default."""
    report = checked(tmp_path, ONE_MESSAGE.format(field="amount: int = 1\n    odd: Odd | None = None"), examples=20)
    note = "the field Add.odd was always left out, or None: nothing is known of its type"
    assert (report.notes, report.examples[Property.TOTAL]) == ([note], 20)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("strategies = {'Add.amount': [1, 2]}", "no strategy of Hypothesis"),
        ("strategies = {3: st.just(1)}", "has the key 3"),
        ("def strategies():\n    return 1 / 0", "strategies failed: ZeroDivisionError"),
        ("strategies = {'Add.amount': st.integers().map(lambda n: 1 // 0)}", "a strategy of the module failed"),
        ("strategies = {'Add.amount': st.integers(5, 1)}", "a strategy of the module failed: InvalidArgument"),
        ("invariant = True", "invariant is True: write a function of the state alone"),
        ("def invariant(state, other): return True", "invariant takes more than that, or less: write a function"),
    ],
)
def test_what_a_module_says_wrongly_is_refused(tmp_path: Path, written: str, told: str) -> None:
    """Strategies that are none or fail, and an invariant that is no function, are told with the module's file."""
    source = "from hypothesis import strategies as st\n" + ONE_MESSAGE.format(field="amount: int") + f"\n\n{written}\n"
    with pytest.raises(EntityLoadError, match=told) as caught:
        checked(tmp_path, source)
    assert caught.value.details["file"] == str(tmp_path / "entities" / "entity.py")


STATE = """
class Grid:
    def __init__(self, cells: dict[str, int]) -> None:
        self.cells = cells


Cells = Annotated[Grid, PlainSerializer(lambda grid: grid.cells), BeforeValidator(lambda it: as_grid(it))]


def as_grid(value: Any) -> Grid:
    return value if isinstance(value, Grid) else Grid(value)


class Sum(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)

    count: int = 0
    more: {kind} = {default}


class Known:
    calls = 0


def init() -> Sum:
    return Sum()


def handle(message: Add | Reset, state: Sum) -> Iterator[Added | Emptied]:
    yield Added(amount=1)


def update(event: Added | Emptied, state: Sum) -> Sum:
    {body}
"""
STATES = {
    "a class without __eq__": (
        ("Cells", "Grid({})", "return Sum(count=state.count + 1, more=Grid({'a': state.count}))"),
        "/more",
        r"state\.more: a Grid is equal to nothing but itself: give the class an __eq__",
    ),
    "what has no JSON": (("Any", "None", "return Sum(more=object())"), "/more", "cannot be written as JSON"),
    "a default of another type": (
        ("float", "0", "return Sum(count=state.count + 1)"),
        "/more",
        r"state\.more: int 0 becomes float 0\.0: write 0\.0$",
    ),
    "a tuple": (
        ("Any", "None", "return Sum(more=(1, 2))"),
        "/more",
        r"tuple \(1, 2\) becomes list \[1, 2\]: give it a",
    ),
}


@pytest.mark.parametrize("kind", STATES)
def test_what_json_does_to_a_state_is_told_once(tmp_path: Path, kind: str) -> None:
    """It breaks `faithful` and nothing else, and says what comes back, where, and what to do."""
    (annotation, default, body), path, said = STATES[kind]
    source = STATE.replace("{kind}", annotation).replace("{default}", default).replace("{body}", body)
    imports = "from typing import Annotated\nfrom pydantic import BeforeValidator, PlainSerializer\n"
    report = checked(tmp_path, imports + tally(more=source))
    assert report.failed() == {Property.FAITHFUL}
    one = found(report, Property.FAITHFUL)
    assert one.fault.paths == (path,)
    assert re.search(said, one.fault.problem), one.fault.problem


DEFAULTS = {
    "a number": ("amount: Decimal = 0", r"amount: int 0 becomes Decimal"),
    "a set": ("amount: frozenset[Decimal] = frozenset({1})", r"frozenset\(\{1\}\) becomes frozenset"),
    "what a serializer gives": (
        "amount: int = 0\n\n    @field_serializer('amount')\n    def shown(self, value) -> int:\n        return 0.5",
        "does not come back from JSON: Input should be a valid integer",
    ),
}


@pytest.mark.parametrize("default", DEFAULTS)
@pytest.mark.parametrize("where", ["event", "message", "effect"])
def test_a_default_that_is_not_of_its_field_s_type_is_told(tmp_path: Path, where: str, default: str) -> None:
    """Nothing validates a default; it is JSON that would change it, wherever it is, and nothing else is broken."""
    field, said = DEFAULTS[default]
    imports = "from decimal import Decimal\nfrom pydantic import field_serializer\nfrom pachyderm_cli import Effect\n"
    ring = "class Ring(Effect):\n    delivery = 'at_least_once'\n    more: int = 1\n\n    def dispatch(self, _): ...\n"
    source = tally(
        ("class Emptied(Event):\n    pass", f"class Emptied(Event):\n    more: int = 1\n\n\n{ring}"),
        ("class Reset(Message):\n    pass", "class Reset(Message):\n    more: int = 1"),
        ("Iterator[Added | Emptied]", "Iterator[Added | Emptied | Ring]"),
        ("            yield Emptied()", "            yield Emptied()\n            yield Ring()"),
    )
    kind = {
        "event": "class Emptied(Event):",
        "message": "class Reset(Message):",
        "effect": "    delivery = 'at_least_once'",
    }
    source = source.replace(f"{kind[where]}\n    more: int = 1", f"{kind[where]}\n    {field}")
    report = checked(tmp_path, imports + source)
    assert report.failed() == {Property.FAITHFUL}
    assert re.search(said, found(report, Property.FAITHFUL).fault.problem)


def test_a_default_that_no_state_keeps_is_none_of_it(tmp_path: Path) -> None:
    """The state before the first event is never stored, so that only what events make of it counts."""
    source = STATE.replace("{kind}", "float").replace("{default}", "0")
    source = source.replace("{body}", "return Sum(count=state.count + 1, more=state.more + 1)").replace(
        "Cells =", "Cells = None #"
    )
    assert checked(tmp_path, tally(more=source)).failed() == set()


def test_what_a_class_counts_is_one_fault(tmp_path: Path) -> None:
    """A counter hidden in a class breaks `pure_update` alone, and is put back before each sequence."""
    body = "Known.calls += 1\n    return Sum(count=state.count + Known.calls // 3)"
    source = (
        STATE.replace("{kind}", "int")
        .replace("{default}", "0")
        .replace("{body}", body)
        .replace("Cells =", "Cells = None #")
    )
    for seed in range(3):
        report = checked(tmp_path / str(seed), tally(more=source), seed=seed)
        assert report.failed() == {Property.PURE_UPDATE}
        assert {each.fault.property for each in report.counterexamples} <= {Property.PURE_UPDATE}


def test_a_rejection_s_words_may_differ(tmp_path: Path) -> None:
    """Nothing of a rejection is stored: the order of a set's members in it is no fault."""
    reset = "            yield Emptied()"
    source = tally((reset, "            raise Rejected(', '.join({'a', 'b', 'c', 'd', str(state)}))"))
    assert checked(tmp_path, source).failed() == set()


@pytest.mark.parametrize(("answer", "holds"), [("0", False), ("''", False), ("[]", False), ("None", True), ("1", True)])
def test_an_invariant_s_answer_is_true_or_false(tmp_path: Path, answer: str, *, holds: bool) -> None:
    """What is false as a condition does not hold; None is the answer of a function of assertions."""
    report = checked(tmp_path, tally(more=f"def invariant(state: int) -> Any:\n    return {answer}\n"), examples=5)
    assert report.is_sound is holds


def test_a_search_has_its_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes too long is tried less often, and the report says how often."""
    monkeypatch.setattr(exploring, "_SECONDS", 0.0)
    monkeypatch.setattr(exploring, "_LEAST_SECONDS", 0.2)
    report = checked(tmp_path, tally(), examples=200)
    assert report.is_sound
    assert 0 < report.examples[Property.TOTAL] < 200


def test_a_large_message_leaves_room_for_few(tmp_path: Path) -> None:
    """Sequences of large messages are short: nearly all of them count."""
    fields = "\n    ".join(f"f{n}: dict[str, list[str]]" for n in range(25))
    report = checked(tmp_path, ONE_MESSAGE.format(field=fields), examples=40)
    assert report.examples[Property.TOTAL] > 20


def test_a_strategy_that_fits_nothing_is_a_note(tmp_path: Path) -> None:
    """A key that is misspelt is told, since nothing is made by it."""
    hooks = "\n\nstrategies = {'Ad.amount': st.just(1)}\n"
    source = "from hypothesis import strategies as st\n" + ONE_MESSAGE.format(field="amount: int") + hooks
    assert checked(tmp_path, source, examples=20).notes == [
        "strategies['Ad.amount'] fits no field or class of a message; did you mean 'Add.amount'?"
    ]


def test_a_message_that_no_guess_makes_is_a_note(tmp_path: Path) -> None:
    """Where pydantic takes no value that was made, a note says so, and how to help; the others are tried."""
    odd = "amount: int = 0\n\n    @field_validator('amount')\n    @classmethod\n    def no(cls, amount: int) -> int:\n"
    odd += "        raise ValueError\n\n    @model_validator(mode='after')\n    def never(self) -> Any:\n"
    odd += "        raise ValueError\n"
    source = tally(("amount: int = Field(ge=0, le=9)", odd), ("ConfigDict, Field", "field_validator, model_validator"))
    report = checked(tmp_path, source, examples=60)
    assert report.notes[0].startswith("no valid Add was found by guessing (Add")
    assert report.examples[Property.TOTAL] == 60
