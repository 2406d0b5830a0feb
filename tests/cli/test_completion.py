"""What the shell offers while a command is typed."""

from pathlib import Path

import pytest

from tests.cli.running import Command, lines


def completed(command: Command, words: str) -> list[str]:
    """Return what bash would be offered for the last of `words`."""
    settings = {"COMP_WORDS": words, "COMP_CWORD": str(len(words.split(" ")) - 1)}
    result = command(_PACHYDERM_COMPLETE="complete_bash", **settings)
    assert result.err == ""
    return [line for line in lines(result.out) if line]


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("pachyderm sn", ["snapshot"]),
        ("pachyderm send co", ["counter:"]),
        ("pachyderm history b", ["box:"]),
        ("pachyderm send box:", ["box:new", "box:@"]),
        ("pachyderm describe ", ["box", "counter", "no_start"]),
        ("pachyderm list --type c", ["counter"]),
        ("pachyderm timers list c", ["counter:"]),
        ("pachyderm timers cancel b", ["box:"]),
        ("pachyderm effects list --status p", ["pending", "parked"]),
        ("pachyderm effects list --status x", []),
        ("pachyderm send box:@b ", ["put-in", "weigh", "refuse", "crash", "ring", "pause", "look"]),
        ("pachyderm send box:@b p", ["put-in", "pause"]),
        ("pachyderm send nothing:@b p", []),
        ("pachyderm try box:@b p", ["put-in", "pause"]),
        ("pachyderm fork b", ["box:"]),
        ("pachyderm fork box:@a --to c", ["counter:"]),
        ("pachyderm diff box:@a c", ["counter:"]),
        ("pachyderm replay --all --type c", ["counter"]),
        ("pachyderm query box:@a ", []),
        ("pachyderm query nothing:@a ", []),
        ("pachyderm send zz", []),
    ],
)
def test_types_references_and_messages_are_offered(pachyderm: Command, words: str, offered: list[str]) -> None:
    """Commands, entity types, the forms of a reference and the messages of its type are completed."""
    assert completed(pachyderm, words) == offered


def test_the_project_that_was_named_is_completed_from(pachyderm: Command, tmp_path: Path) -> None:
    """With --project, or outside of any project with --store, what is offered is that project's, or nothing."""
    elsewhere = pachyderm.elsewhere(tmp_path)
    assert completed(elsewhere, "pachyderm --project project send co") == ["counter:"]
    assert completed(elsewhere, "pachyderm --project project send counter:@a ") == ["increment"]
    assert completed(elsewhere, "pachyderm --store sqlite:///x.db send co") == []


@pytest.mark.parametrize("words", ["pachyderm send co", "pachyderm send counter:@a ", "pachyderm describe "])
@pytest.mark.parametrize("spoilt", ["pachyderm.toml", "entities/counter.py", "entities/box.py"])
def test_completion_never_breaks_the_prompt(pachyderm: Command, words: str, spoilt: str) -> None:
    """A broken project is not told about while a command is typed; what can still be offered is."""
    whole = completed(pachyderm, words)
    (pachyderm.folder / spoilt).write_text("syntax error (", encoding="utf-8")
    assert set(completed(pachyderm, words)) <= set(whole)


FROM_A_SIBLING = """
from collections.abc import Iterator

from pachyderm_cli import Event
from ._orders import Order


class Done(Event):
    pass


def handle(message: Order, state: None) -> Iterator[Done]:
    yield Done()


def update(event: Done, state: None) -> None:
    return None
"""
SIBLING = """
from pachyderm_cli import Message


class BuyAll(Message):
    pass


class Sell(Message):
    pass


Order = Sell | BuyAll
"""


def test_messages_of_another_module_are_offered_by_importing_it(pachyderm: Command) -> None:
    """Where a module's text does not tell its messages, here those of a sibling, its import does, in its order."""
    (pachyderm.folder / "entities" / "shop.py").write_text(FROM_A_SIBLING, encoding="utf-8")
    (pachyderm.folder / "entities" / "_orders.py").write_text(SIBLING, encoding="utf-8")
    assert completed(pachyderm, "pachyderm send shop:@a ") == ["sell", "buy-all"]
    assert completed(pachyderm, "pachyderm send shop:@a b") == ["buy-all"]
    (pachyderm.folder / "entities" / "_orders.py").unlink()
    assert completed(pachyderm, "pachyderm send shop:@a ") == []


def test_a_module_is_not_imported_to_complete_what_its_text_tells(pachyderm: Command) -> None:
    """What a module does when it is imported, or what it lacks then, does not come between a prompt and its offers."""
    file = pachyderm.folder / "entities" / "counter.py"
    file.write_text(file.read_text(encoding="utf-8") + "\n\nraise RuntimeError\n", encoding="utf-8")
    assert completed(pachyderm, "pachyderm send counter:@a ") == ["increment"]


def test_entities_in_folders_are_completed_by_their_whole_names(pachyderm: Command) -> None:
    """A module in a folder of its own, and its messages, are offered under its dotted name."""
    (pachyderm.folder / "entities" / "shop").mkdir()
    (pachyderm.folder / "entities" / "counter.py").rename(pachyderm.folder / "entities" / "shop" / "visits.py")
    assert completed(pachyderm, "pachyderm send sh") == ["shop.visits:"]
    assert completed(pachyderm, "pachyderm send shop.visits:@a ") == ["increment"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "latin-1"])
def test_a_module_may_be_in_any_encoding_that_python_reads(pachyderm: Command, encoding: str) -> None:
    """A byte order mark or a declared encoding of a module keeps none of its messages from being offered."""
    file = pachyderm.folder / "entities" / "counter.py"
    text = f"# coding: {encoding.removesuffix('-sig')}\n# größer\n{file.read_text(encoding='utf-8')}"
    file.write_text(text, encoding=encoding)
    assert completed(pachyderm, "pachyderm send counter:@a ") == ["increment"]


def test_the_folder_of_entities_is_the_projects_own(pachyderm: Command) -> None:
    """Modules are looked for where pachyderm.toml says."""
    (pachyderm.folder / "entities").rename(pachyderm.folder / "things")
    assert completed(pachyderm, "pachyderm send co") == []
    (pachyderm.folder / "pachyderm.toml").write_text('entities = "things"', encoding="utf-8")
    assert completed(pachyderm, "pachyderm send co") == ["counter:"]
    assert completed(pachyderm, "pachyderm send counter:@a ") == ["increment"]


@pytest.mark.usefixtures("time_lab")
def test_questions_are_offered(pachyderm: Command) -> None:
    """The questions of the reference's type are completed as they are spelt on the command line."""
    assert completed(pachyderm, "pachyderm query pu") == ["purse:"]
    assert completed(pachyderm, "pachyderm query purse:@a ") == ["how-much", "can-pay"]
    assert completed(pachyderm, "pachyderm query purse:@a c") == ["can-pay"]


@pytest.mark.usefixtures("time_lab")
def test_questions_of_another_module_are_offered_by_its_import(pachyderm: Command) -> None:
    """Where a module's text does not tell its questions they are completed all the same."""
    file = pachyderm.folder / "entities" / "purse.py"
    text = file.read_text(encoding="utf-8").replace("question: HowMuch | CanPay", 'question: "HowMuch | CanPay"')
    file.write_text(text, encoding="utf-8")
    assert completed(pachyderm, "pachyderm query purse:@a ") == ["how-much", "can-pay"]


def test_the_shells_script_can_be_shown(pachyderm: Command) -> None:
    """`--show-completion bash` is what typer's script needs; here, that the protocol gives the script."""
    result = pachyderm(_PACHYDERM_COMPLETE="source_bash").done()
    assert "_PACHYDERM_COMPLETE=complete_bash" in result.out
