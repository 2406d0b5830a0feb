"""What users test their entities with: given, when, then; a class of tests; an engine to send to."""

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from entities import counter
from pachyderm_cli import testing
from pachyderm_cli.checks.findings import Property, sentence
from pachyderm_cli.engine.engine import Pachyderm
from pachyderm_cli.errors import EntityFailed, InvalidMessage, PachydermError, UsageError
from pachyderm_cli.testing import Given, Module, entity_tests, given, hold
from tests.support import till
from tests.support.till import Counted, Look, Paid, Pay, Ring, Till

ROOT = Path(__file__).parents[1]
FAULTY = ROOT / "tests" / "checks" / "zoo" / "faulty" / "division_by_zero.py"
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
LATER = datetime(2026, 5, 1, tzinfo=UTC)
ONE, TWO = Decimal("1.00"), Decimal("2.00")

pachyderm = testing.pachyderm  # the fixture

TestTill = entity_tests(till, max_examples=10)


@pytest.fixture
def paid() -> Given:
    """Return a till into which one was paid."""
    return given(till, Paid(amount=ONE, at=NOW))


def test_what_came_is_required(paid: Given) -> None:
    """Events and effects are compared each in their own order; both of the last message only."""
    events = Paid(amount=TWO, at=NOW), Counted(payments=2)
    paid.when(Pay(amount=TWO)).then(*events, Ring(times=2)).then(events[0], Ring(times=2), events[1])
    paid.when(Pay(amount=ONE)).then(Paid(amount=ONE, at=NOW))


def test_what_came_is_folded(paid: Given) -> None:
    """Each message meets the state that the ones before it led to."""
    paid.then_state(Till(sum=ONE, payments=1))
    paid.when(Pay(amount=TWO)).when(Pay(amount=ONE)).then_state(Till(sum=Decimal("4.00"), payments=3))
    assert paid.state == Till(sum=Decimal("4.00"), payments=3)


def test_nothing_is_required(paid: Given) -> None:
    """A message may lead to nothing, which is no rejection."""
    paid.when(Look()).then_nothing().then_state(Till(sum=ONE, payments=1))


def test_a_rejection_is_required(paid: Given) -> None:
    """With its reason or without; the state stays, and the next message is another matter."""
    paid.when(Pay(amount=Decimal(0))).then_rejected().then_rejected("that is nothing")
    paid.then_state(Till(sum=ONE, payments=1)).when(Look()).then_nothing()


def test_a_state_and_a_time_may_be_given() -> None:
    """It begins at the `state`, after which further events come; a handle's context has the time `now`."""
    begun = given(till, Paid(amount=ONE, at=NOW), state=Till(sum=TWO, payments=4), now=LATER)
    begun.then_state(Till(sum=Decimal("3.00"), payments=5))
    begun.when(Pay(amount=ONE)).then(Paid(amount=ONE, at=LATER), Counted(payments=6), Ring(times=2))


FAILING: dict[str, tuple[Callable[[Given], Any], str]] = {
    "another event": (
        lambda asked: asked.when(Pay(amount=ONE)).then(Counted(payments=2), Ring(times=2)),
        r"these events were wanted: \[Counted\(payments=2\)\]; and these came: \[Paid\(amount=Decimal\('1.00'\)",
    ),
    "another effect": (
        lambda asked: asked.when(Pay(amount=ONE)).then(Paid(amount=ONE, at=NOW), Counted(payments=2), Ring()),
        r"these effects were wanted: \[Ring\(times=1\)\]; and these came: \[Ring\(times=2\)\]",
    ),
    "another order": (
        lambda asked: asked.when(Pay(amount=ONE)).then(Counted(payments=2), Paid(amount=ONE, at=NOW), Ring(times=2)),
        "these events were wanted",
    ),
    "something": (lambda asked: asked.when(Pay(amount=ONE)).then_nothing(), r"wanted: \[\]; and these came: \[Paid"),
    "nothing": (lambda asked: asked.when(Look()).then(Counted(payments=1)), r"and these came: \[\]"),
    "a rejection": (
        lambda asked: asked.when(Pay(amount=Decimal(0))).then_nothing(),
        "the message was rejected: that is nothing",
    ),
    "no rejection": (
        lambda asked: asked.when(Pay(amount=ONE)).then_rejected(),
        r"the message was not rejected; it led to \(Paid\(",
    ),
    "another reason": (
        lambda asked: asked.when(Pay(amount=Decimal(0))).then_rejected("too much"),
        "it was rejected because 'that is nothing', not 'too much'",
    ),
    "another state": (
        lambda asked: asked.then_state(Till(sum=ONE, payments=2)),
        r"the states differ at /payments: Till\(.*payments=2\) wanted, Till\(.*payments=1\) there",
    ),
    "another scale": (lambda asked: asked.then_state(Till(sum=Decimal(1), payments=1)), "the states differ at /sum"),
    "another type": (lambda asked: asked.then_state(1), "the states differ at /: 1 wanted"),
}


@pytest.mark.parametrize("came", FAILING)
def test_a_failure_says_what_came(paid: Given, came: str) -> None:
    """What was wanted and what was there both stand in the message."""
    fail, said = FAILING[came]
    with pytest.raises(AssertionError, match=said):
        fail(paid)


def test_nothing_can_be_required_before_something_was_asked(paid: Given) -> None:
    """An answer before the first message is a mistake of the test."""
    with pytest.raises(UsageError, match=r"call when\(message\) first"):
        paid.then_nothing()


def test_a_fault_of_user_code_comes_through(paid: Given) -> None:
    """What is no Rejected is told with the line of the module."""
    with pytest.raises(EntityFailed, match=r"till\.py"):
        given(till, state=3).when(Pay(amount=ONE))


def test_a_module_is_given_as_such_by_name_or_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """All three mean the same classes, where the project's entities can be imported."""
    monkeypatch.chdir(ROOT)
    modules: list[Module] = [counter, "counter", ROOT / "entities" / "counter.py", Path("entities/counter.py")]
    for module in modules:
        given(module, counter.Increased(amount=3)).then_state(counter.State(count=3))
        hold(module, "total", [("Increment", '{"amount":3}')])
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PachydermError, match="this is no project"):
        given("counter")


def test_classes_of_two_places_are_told(tmp_path: Path) -> None:
    """A class of the same name from another module would equal nothing: the test says where both come from."""
    other = tmp_path / "till.py"
    other.write_text(Path(till.__file__).read_text())
    asked = given(other)
    mistakes: list[Callable[[], Any]] = [
        lambda: asked.when(Look()),
        lambda: given(other, Paid(amount=ONE, at=NOW)),
        lambda: asked.then_state(Till(sum=ONE, payments=2)),
    ]
    for mistake in mistakes:
        with pytest.raises(UsageError, match=r"two classes called \w+, one in tests\.support\.till .* and one in "):
            mistake()


def test_all_properties_are_tests() -> None:
    """The class has a test for each property, with the property in words."""
    tests = {name: test.__doc__ for name, test in vars(TestTill).items() if name.startswith("test_")}
    assert tests == {f"test_{each}": sentence(each) for each in Property}


def test_a_broken_property_fails_its_test_alone() -> None:
    """The message is the counterexample: what happened and where, the messages, and the state before."""
    tests = entity_tests(FAULTY)()
    with pytest.raises(AssertionError) as failed:
        tests.test_total()
    said = str(failed.value)
    assert "ZeroDivisionError" in said
    assert f"({FAULTY}:" in said
    assert "\n  after " in said
    assert "\n  before: {" in said
    for other in set(Property) - {Property.TOTAL}:
        getattr(tests, f"test_{other}")()


def test_a_sequence_is_held_against_one_property() -> None:
    """It fails with what happened and where, for that property alone; a waited time and a message id may be said."""
    with pytest.raises(AssertionError, match=r"ZeroDivisionError.* \(.*division_by_zero\.py:[0-9]+\)"):
        hold(FAULTY, "total", [("Rate", '{"stars":3}'), ("Retract", "{}")])
    hold(FAULTY, "invariant", [("Rate", '{"stars":3}'), ("Retract", "{}")])
    messages = [("Pay", '{"amount":"1.00"}'), ("Pay", '{"amount":"1.00"}', 60), ("Look", "{}", 0, 3)]
    for each in Property:
        hold(till, each, messages)


def test_what_cannot_be_held_is_told() -> None:
    """A property or a message that there is none of, and data that does not fit, are mistakes of the test."""
    with pytest.raises(UsageError, match=r"totall.*total"):
        hold(till, "totall", [])
    with pytest.raises(PachydermError, match="Paye"):
        hold(till, "total", [("Paye", "{}")])
    with pytest.raises(InvalidMessage, match="amount"):
        hold(till, "total", [("Pay", '{"amount":"x"}')])


def test_hypothesis_is_asked_for_where_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it, tests of properties say what to install; given, when, then needs none."""
    monkeypatch.setattr("pachyderm_cli.checks.extra.find_spec", lambda _: None)
    with pytest.raises(UsageError, match=r"pip install 'pachyderm-cli\[check\]'"):
        entity_tests(till)().test_total()
    with pytest.raises(UsageError, match=r"pip install 'pachyderm-cli\[check\]'"):
        hold(till, "total", [])
    given(till).when(Look()).then_nothing()


def test_neither_hypothesis_nor_pytest_is_imported() -> None:
    """A script may use given, when, then where neither is installed."""
    code = (
        "import sys; sys.modules.update(hypothesis=None, pytest=None)\n"
        "from pachyderm_cli.testing import given\n"
        "from tests.support import till\n"
        "given(till).when(till.Look()).then_nothing()"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)


@pytest.fixture
def in_project(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the test in this checkout, which is a project."""
    monkeypatch.chdir(ROOT)


def test_an_engine_is_a_fixture(in_project: None, pachyderm: Pachyderm, tmp_path: Path) -> None:
    """The fixture is an engine for the project's entities, on a store of the test's own."""
    assert pachyderm.send("counter:@c", counter.Increment(amount=3)).version == 1
    assert pachyderm.state("counter:@c") == counter.State(count=3)
    assert (tmp_path / "pachyderm.db").is_file()


def test_the_module_has_nothing_else() -> None:
    """Another name is an error as of any module."""
    with pytest.raises(AttributeError, match="has no attribute 'fixture'"):
        testing.fixture  # noqa: B018 - asking is enough
