"""The search for sequences of messages that break the contract, and what a report says of them."""

from pathlib import Path

import pytest

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
    return 12 // value

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
    report = checked(tmp_path, tally(("amount: int = Field(ge=0, le=9)", "amount: complex")), examples=20)
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


def test_a_field_that_may_be_left_out_is(tmp_path: Path) -> None:
    """Of a type of which nothing is known no value is needed where the field has a default."""
    report = checked(tmp_path, ONE_MESSAGE.format(field="amount: int = 1\n    odd: Odd | None = None"), examples=20)
    assert (report.notes, report.examples[Property.TOTAL]) == ([], 20)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("strategies = {'Add.amount': [1, 2]}", "no strategy of Hypothesis"),
        ("strategies = {3: st.just(1)}", "has the key 3"),
        ("def strategies():\n    return 1 / 0", "strategies failed: ZeroDivisionError"),
        ("strategies = {'Add.amount': st.integers().map(lambda n: 1 // 0)}", "a strategy of the module failed"),
        ("invariant = True", "write a function of the state"),
    ],
)
def test_what_a_module_says_wrongly_is_refused(tmp_path: Path, written: str, told: str) -> None:
    """Strategies that are none or fail, and an invariant that is no function, are told with the module's file."""
    source = "from hypothesis import strategies as st\n" + ONE_MESSAGE.format(field="amount: int") + f"\n\n{written}\n"
    with pytest.raises(EntityLoadError, match=told) as caught:
        checked(tmp_path, source)
    assert caught.value.details["file"] == str(tmp_path / "entities" / "entity.py")


def test_a_strategy_that_fits_nothing_is_a_note(tmp_path: Path) -> None:
    """A key that is misspelt is told, since nothing is made by it."""
    hooks = "\n\nstrategies = {'Ad.amount': st.just(1)}\n"
    source = "from hypothesis import strategies as st\n" + ONE_MESSAGE.format(field="amount: int") + hooks
    assert checked(tmp_path, source, examples=20).notes == [
        "strategies['Ad.amount'] fits no field or class of a message"
    ]


def test_a_message_that_no_guess_makes_is_a_note(tmp_path: Path) -> None:
    """Where pydantic takes no value that was made, a note says so, and how to help; the others are tried."""
    odd = "amount: int = 0\n\n    @field_validator('amount')\n    @classmethod\n    def no(cls, amount: int) -> int:\n"
    odd += "        raise ValueError\n\n    @model_validator(mode='after')\n    def never(self) -> Any:\n"
    odd += "        raise ValueError\n"
    source = tally(("amount: int = Field(ge=0, le=9)", odd), ("ConfigDict, Field", "field_validator, model_validator"))
    report = checked(tmp_path, source, examples=60)
    assert report.notes[0].startswith("no valid Add was found by guessing: say how in the module, strategies = ")
    assert report.examples[Property.TOTAL] == 60
