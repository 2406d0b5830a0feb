"""`pachyderm describe`: the types of the project, or the protocol of one."""

import pytest

from tests.cli.running import Command, lines


def test_all_types_are_described_in_an_object_each(pachyderm: Command) -> None:
    """`describe --json` prints each type with its file, its messages and its documentation."""
    summaries = pachyderm("describe", "--json").done().documents
    assert [summary["type"] for summary in summaries] == ["box", "counter", "no_start"]
    counter = summaries[1]
    assert counter["messages"] == ["Increment"]
    assert counter["file"] == str(pachyderm.folder / "entities/counter.py")
    assert counter["doc"].startswith("A counter: ")
    assert counter["error"] is None


def test_all_types_are_described_to_people(pachyderm: Command) -> None:
    """Without --json each type stands with its messages as they are written on the command line."""
    shown = lines(pachyderm("describe").done().out)
    assert "counter  increment" in shown
    assert "box  put-in, weigh, refuse, crash, ring, pause, look" in shown


def test_one_types_protocol_is_json_schema(pachyderm: Command) -> None:
    """`describe TYPE --json` prints the schemas of messages, events, effects, queries and state."""
    protocol = pachyderm("describe", "counter", "--json").done().document
    assert protocol.keys() >= {"type", "file", "doc", "messages", "events", "effects", "deliveries", "queries", "state"}
    assert protocol.keys() >= {"past", "lookup"}
    assert protocol["messages"]["Increment"]["properties"]["amount"]["exclusiveMinimum"] == 0
    assert protocol["events"].keys() == {"Increased"}
    assert protocol["effects"].keys() == {"AlertAdmin"}
    assert protocol["queries"] == {}
    assert protocol["state"]["properties"].keys() == {"count"}


def test_one_types_protocol_says_how_to_write_its_messages(pachyderm: Command) -> None:
    """Without --json the messages stand as they are written on the command line, with their fields."""
    text = pachyderm("describe", "box").done().out
    assert "put-in " in text
    for word in ("grams=int", "Filled", "Bell", "State"):
        assert word in text


def test_a_reference_names_its_type(pachyderm: Command) -> None:
    """What stands before the colon of a reference is described."""
    assert pachyderm.quick("describe", "counter:@a") == pachyderm.quick("describe", "counter").done()


def test_a_project_without_modules_says_so(pachyderm: Command) -> None:
    """An empty folder of modules is no failure, and is told on standard error."""
    for file in (pachyderm.folder / "entities").glob("*.py"):
        file.unlink()
    result = pachyderm.quick("describe").done()
    assert (result.out, result.err) == ("", "this project has no entity modules\n")
    assert pachyderm.quick("describe", "--json").done().out == ""


@pytest.mark.usefixtures("outbox_lab")
def test_each_effect_says_how_it_is_delivered(pachyderm: Command) -> None:
    """`describe TYPE` has each effect's delivery, how often it may be tried, and how long each time."""
    at_least_once = {"delivery": "at_least_once", "max_attempts": 8, "timeout": None}
    assert pachyderm("describe", "courier", "--json").done().document["deliveries"] == {
        "Letter": at_least_once,
        "RiskyLetter": {"delivery": "at_least_once", "max_attempts": 1, "timeout": 5.0},
        "Sleep": at_least_once,
    }
    assert pachyderm.quick("describe", "counter", "--json").done().document["deliveries"] == {
        "AlertAdmin": {"delivery": "at_most_once", "max_attempts": 1, "timeout": None}
    }
    shown = lines(pachyderm("describe", "courier").done().out)
    assert "  Letter  text, failing  (at least once, up to 8 attempts)" in shown
    assert "  RiskyLetter  text  (at least once, 5 seconds each)" in shown
    assert "  AlertAdmin  threshold  (at most once)" in lines(pachyderm.quick("describe", "counter").done().out)


@pytest.mark.usefixtures("time_lab")
def test_each_event_says_what_it_was(pachyderm: Command) -> None:
    """`describe TYPE` has of each event the version that is written and its former names."""
    protocol = pachyderm("describe", "purse", "--json").done().document
    never_changed = {"version": 1, "aliases": []}
    assert protocol["past"] == {
        "Moved": {"version": 2, "aliases": ["Filled", "Emptied"]},
        "Owned": never_changed,
        "Remembered": never_changed,
    }
    shown = lines(pachyderm.quick("describe", "purse").done().out)
    assert "  Moved  amount  (version 2, formerly Filled, Emptied)" in shown
    assert "  Owned  name, city" in shown


@pytest.mark.usefixtures("time_lab")
def test_questions_stand_as_they_are_written(pachyderm: Command) -> None:
    """`describe TYPE` has the schemas of the questions, and for people how they are written, as messages are."""
    protocol = pachyderm.quick("describe", "purse", "--json").done().document
    assert {name: list(schema["properties"]) for name, schema in protocol["queries"].items()} == {
        "HowMuch": ["times"],
        "CanPay": ["amount"],
    }
    shown = lines(pachyderm.quick("describe", "purse").done().out)
    at = shown.index("questions")
    assert shown[at + 1 : at + 3] == [
        "  how-much [times=int, default 1]  How much is in it, so many times.",
        "  can-pay amount=Decimal  Whether it has that much.",
    ]


@pytest.mark.usefixtures("time_lab")
def test_a_type_says_whether_its_states_are_kept_for_lookup(pachyderm: Command) -> None:
    """`describe TYPE` tells of a type that its entities can be found by their state."""
    assert pachyderm.quick("describe", "purse", "--json").done().document["lookup"] is True
    assert "  State  (kept to look entities up by)" in lines(pachyderm.quick("describe", "purse").done().out)
    assert pachyderm.quick("describe", "box", "--json").done().document["lookup"] is False
    assert "  State" in lines(pachyderm.quick("describe", "box").done().out)
