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
        ("pachyderm send box:@b ", ["put-in", "weigh", "refuse", "crash", "ring", "pause", "look"]),
        ("pachyderm send box:@b p", ["put-in", "pause"]),
        ("pachyderm send nothing:@b p", []),
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


def test_the_shells_script_can_be_shown(pachyderm: Command) -> None:
    """`--show-completion bash` is what typer's script needs; here, that the protocol gives the script."""
    result = pachyderm(_PACHYDERM_COMPLETE="source_bash").done()
    assert "_PACHYDERM_COMPLETE=complete_bash" in result.out
