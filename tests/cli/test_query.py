"""`pachyderm query`: what an entity answers to a question."""

import pytest

from pachyderm_cli.domain.reference import named_id
from tests.cli.running import Command

pytestmark = pytest.mark.usefixtures("time_lab")

A = {"type": "purse", "id": str(named_id("default", "purse", "a"))}


@pytest.fixture
def moved(on_store: Command) -> Command:
    """Return the command on a store whose purse `@a` was put 1, 2 and 3 in."""
    for amount in "123":
        on_store.quick("send", "purse:@a", "put", f"amount={amount}").done()
    return on_store


def test_an_answer_has_the_documented_keys(moved: Command) -> None:
    """`query --json` has the entity, the version that was asked, the question's name and the answer."""
    before = moved.log()
    assert moved("query", "purse:@a", "how-much", "times=2", "--json").done().document == {
        "entity": A,
        "network": "default",
        "version": 3,
        "question": "HowMuch",
        "answer": "12",
    }
    assert moved.log() == before


@pytest.mark.parametrize("spelling", ["how-much", "HowMuch", "how_much", "howmuch"])
def test_a_question_may_be_spelt_as_a_message(moved: Command, spelling: str) -> None:
    """A question's name is taken in any usual spelling; people see the answer alone."""
    assert moved.quick("query", "purse:@a", spelling).done().out == '"6"\n'


def test_it_may_be_asked_as_it_was(moved: Command) -> None:
    """`--at-version` asks the state of then."""
    for version, answer in enumerate(("0", "1", "3", "6")):
        asked = moved.quick("query", "purse:@a", "how-much", "--at-version", str(version), "--json").done().document
        assert (asked["version"], asked["answer"]) == (version, answer)
    assert moved.quick("query", "purse:@a", "can-pay", "amount=2", "--at-version", "1").done().out == "false\n"
    assert moved.quick("query", "purse:@a", "can-pay", "amount=2").done().out == "true\n"


@pytest.mark.parametrize(
    ("arguments", "status", "code", "told"),
    [
        (("purse:@a", "can-py"), 2, "unknown_message", "did you mean can-pay? There is: can-pay, how-much"),
        (("purse:@a", "can-pay"), 2, "invalid_message", "CanPay.amount"),
        (("purse:@a", "can-pay", "amount=x"), 2, "invalid_message", "valid decimal"),
        (("purse:@a", "can-pay", "amont=1"), 2, "invalid_message", "did you mean amount?"),
        (("purse:@a", "can-pay", "amount=-1"), 5, "rejected", "less than nothing"),
        (("purse:@nobody", "how-much"), 3, "not_found", "nobody"),
        (("purse:@a", "how-much", "--at-version", "4"), 3, "not_found", "it has 0 to 3"),
        (("purse:@a",), 2, "usage", "query --help"),
    ],
)
def test_what_has_no_answer_is_told(
    moved: Command, arguments: tuple[str, ...], status: int, code: str, told: str
) -> None:
    """A question that is not there, or not complete, is a usage error; an entity may reject one."""
    result = moved.quick("query", *arguments, "--json")
    assert (result.status, result.out, result.error["code"]) == (status, "", code)
    assert told in result.error["message"]


def test_a_type_that_answers_nothing_says_so(pachyderm: Command) -> None:
    """A module without `query` has no questions."""
    pachyderm.quick("send", "counter:@a", "increment").done()
    result = pachyderm.quick("query", "counter:@a", "how-much")
    told = "counter answers no question 'how-much'; its module has no query(question, state)"
    assert (result.status, result.out, result.err) == (2, "", f"error: {told}\n")


def test_a_fault_of_query_is_told_with_its_line(pachyderm: Command) -> None:
    """What breaks in `query` is the entity's failure, with exit status 1."""
    purse = pachyderm.folder / "entities" / "purse.py"
    text = purse.read_text(encoding="utf-8").replace("return state.balance * times", "return 1 // 0")
    purse.write_text(text, encoding="utf-8")
    pachyderm.quick("send", "purse:@a", "put", "amount=1").done()
    result = pachyderm.quick("query", "purse:@a", "how-much", "--json")
    assert (result.status, result.error["code"]) == (1, "entity_failed")
    line = text.splitlines().index("            return 1 // 0") + 1
    assert (result.error["file"], result.error["line"]) == (str(purse), line)
