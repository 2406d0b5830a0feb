"""`pachyderm send`: one message to one entity."""

import json
import re
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from pachyderm_cli.domain.reference import named_id
from tests.cli.running import Command, lines

ID = "0190f5fc-0000-7000-8000-000000000001"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
KEYS = {"entity", "network", "version", "state", "message_id", "duplicate", "events", "effects"}


def put(command: Command, *fields: str) -> Any:
    """Send PutIn with `fields` to a fresh box, and return the data of the event."""
    return command.quick("send", "box:new", "put-in", *fields, "--json").done().document["events"][0]["data"]


def test_the_json_of_a_send_has_the_documented_keys(on_store: Command) -> None:
    """`send --json` prints one document with what cli.md documents, on both databases."""
    sent = on_store("send", "counter:@visits", "increment", "amount=10", "--json").done().document
    assert sent.keys() >= KEYS
    identifier = str(named_id("default", "counter", "visits"))
    assert sent["entity"] == {"type": "counter", "id": identifier}
    assert (sent["network"], sent["version"], sent["duplicate"]) == ("default", 1, False)
    assert sent["state"] == {"count": 10}
    assert sent["events"] == [{"version": 1, "type": "Increased", "data": {"amount": 10}}]
    assert str(UUID(sent["message_id"])) == sent["message_id"]
    (effect,) = sent["effects"]
    assert effect == {"id": effect["id"], "type": "AlertAdmin", "status": "done", "error": None, "to": None}
    assert str(UUID(effect["id"])) == effect["id"]


def test_the_text_of_a_send_shows_entity_events_state_and_effects(pachyderm: Command) -> None:
    """Entity, version, events, state and effects are shown; what an effect prints stays on its stream."""
    result = pachyderm("send", "counter:@visits", "increment", "amount=10").done()
    assert lines(result.out) == [
        f"counter:{named_id('default', 'counter', 'visits')} at version 1",
        '     1  Increased {"amount":10}',
        '  state     {"count":10}',
        "  effect    AlertAdmin done",
    ]
    assert result.err == "alert for admin: the counter reached 10\n"


@pytest.mark.parametrize(
    ("field", "data"),
    [
        ("text=with = and spaces", {"text": "with = and spaces"}),
        ("text=", {"text": ""}),
        ("text=null", {"text": "null"}),
        ("text=12", {"text": "12"}),
        ("text=äöü 象 🐘", {"text": "äöü 象 🐘"}),
        ("whole=-12", {"whole": -12}),
        ("whole=123456789012345678901234567890", {"whole": 123456789012345678901234567890}),
        ("exact=10.50", {"exact": "10.50"}),
        ("exact=12345678901234567890.123456789", {"exact": "12345678901234567890.123456789"}),
        ("real=1e3", {"real": 1000.0}),
        ("sure=true", {"sure": True}),
        ("sure=no", {"sure": False}),
        ("day=2026-01-31", {"day": "2026-01-31"}),
        ("day=null", {"day": None}),
        ("moment=2026-01-31T10:00:00+02:00", {"moment": "2026-01-31T10:00:00+02:00"}),
        ('tags=["a", "b"]', {"tags": ["a", "b"]}),
        ('place={"city": "Rome"}', {"place": {"city": "Rome", "floor": 0}}),
        ("size=large", {"size": "large"}),
    ],
)
def test_a_value_is_read_by_its_fields_type(pachyderm: Command, field: str, data: dict[str, Any]) -> None:
    """FIELD=VALUE becomes what the field's type makes of the text, or of the text as JSON."""
    assert data.items() <= put(pachyderm, field).items()


def test_several_fields_make_one_message(pachyderm: Command) -> None:
    """Every FIELD=VALUE counts, in any order."""
    sent = put(pachyderm, "size=large", "whole=2", "text=x")
    assert (sent["size"], sent["whole"], sent["text"]) == ("large", 2, "x")


def test_data_comes_whole_as_text_from_a_file_or_from_standard_input(on_store: Command, tmp_path: Path) -> None:
    """--data JSON, --data @FILE and --data - lead to the same event."""
    text = '{"text": "象", "tags": ["a"], "place": {"city": "Rome", "floor": 2}}'
    (tmp_path / "data.json").write_text(text, encoding="utf-8")
    events = [
        on_store("send", "box:new", "put-in", "--data", given, "--json", stdin=stdin).done().document["events"]
        for given, stdin in ((text, ""), (f"@{tmp_path / 'data.json'}", ""), ("-", text))
    ]
    assert events[0] == events[1] == events[2]
    assert events[0][0]["data"].items() >= json.loads(text).items()


@pytest.mark.parametrize("spelling", ["put-in", "put_in", "PutIn", "putIn", "PUT_IN", "putin", "Put-In"])
def test_a_message_may_be_spelt_in_any_usual_way(pachyderm: Command, spelling: str) -> None:
    """Case, hyphens and underscores do not matter in a message's name."""
    event = pachyderm.quick("send", "box:new", spelling, "--json").done().document["events"][0]
    assert event["type"] == "Filled"


def test_a_field_may_be_spelt_with_hyphens(pachyderm: Command, project: Path) -> None:
    """A hyphen stands for an underscore in a field's name."""
    source = (project / "entities/box.py").read_text(encoding="utf-8")
    (project / "entities/box.py").write_text(source.replace("grams", "net_grams"), encoding="utf-8")
    sent = pachyderm.quick("send", "box:new", "weigh", "net-grams=3", "--json").done().document
    assert sent["state"]["net_grams"] == 3


def test_new_is_another_entity_every_time(on_store: Command) -> None:
    """`TYPE:new` makes a fresh random id (UUID4) at each send."""
    ids = {on_store.quick("send", "counter:new", "increment", "--json").done().document["entity"]["id"] for _ in "123"}
    assert len(ids) == 3
    assert {UUID(each).version for each in ids} == {4}


def test_a_name_is_the_same_entity_every_time_within_network_and_type(on_store: Command) -> None:
    """`TYPE:@name` means one entity in a network and a type, and another one in others."""

    def sent(reference: str, message: str, *options: str) -> Any:
        return on_store.quick(*options, "send", reference, message, "--json").done().document

    first, again = sent("box:@a b", "ring"), sent("box:@a b", "ring")
    assert first["entity"] == again["entity"]
    assert [first["version"], again["version"]] == [1, 2]
    elsewhere = sent("box:@a b", "ring", "--network", "other")
    assert (elsewhere["network"], elsewhere["version"]) == ("other", 1)
    others = [elsewhere, sent("counter:@a b", "increment"), sent("box:@A B", "ring")]
    assert len({each["entity"]["id"] for each in [first, *others]}) == 4


def test_an_id_may_be_written_in_every_usual_way(on_store: Command) -> None:
    """The whole id in any case, a prefix of four digits or more, with the type or without it, mean one entity."""
    first = on_store.quick("send", "box:abcdef01-2345-4000-8000-00000000000f", "ring", "--json").done().document
    identifier = first["entity"]["id"]
    assert identifier == "abcdef01-2345-4000-8000-00000000000f"
    spellings = ["abcd", "ABCDEF", "abcdef01-", "abcdef01-23", "abcdef0123454000", identifier.upper(), "0" * 0]
    for spelling in filter(None, spellings):
        for reference in (f"box:{spelling}", spelling):
            sent = on_store.quick("send", reference, "ring", "--json").done().document
            assert sent["entity"] == first["entity"]
    assert sent["version"] == 1 + 2 * 6


def test_a_message_id_is_handled_once(on_store: Command) -> None:
    """The second send of an id returns the first outcome, as a duplicate, and runs no effect."""
    ring = ("send", "box:@b", "ring", "times=2", "--id", ID.upper(), "--config", "out=rings", "--json")
    first, again = on_store(*ring).done().document, on_store(*ring).done().document
    assert first["message_id"] == ID
    assert again == {**first, "duplicate": True, "effects": []}
    assert len(lines((on_store.folder / "rings").read_text(encoding="utf-8"))) == 2
    assert len(on_store.quick("history", "box:@b", "--json").documents) == 1


def test_a_duplicate_is_said_to_be_one(pachyderm: Command) -> None:
    """Without --json, the second send of an id says that nothing was done again."""
    pachyderm.quick("send", "box:@b", "ring", "--id", ID).done()
    assert "nothing was done again" in pachyderm.quick("send", "box:@b", "ring", "--id", ID).done().out


def test_expect_lets_the_message_through_at_that_version_alone(on_store: Command) -> None:
    """--expect handles a message at the version named, 0 for an entity that is not there yet."""
    on_store.quick("send", "box:@b", "ring", "--expect", "0").done()
    on_store.quick("send", "box:@b", "ring", "--expect", "1").done()
    assert on_store.quick("send", "box:@b", "ring", "--expect", "1").status == 4
    assert len(on_store.quick("history", "box:@b", "--json").documents) == 2


def test_config_adds_to_the_projects(pachyderm: Command) -> None:
    """Effects are handed the [effects] of pachyderm.toml, with what --config adds or replaces."""
    pachyderm(
        "send", "box:@b", "ring", "--config", "out=rings", "--config", "greeting=a=b", "--config", "empty="
    ).done()
    (line,) = lines((pachyderm.folder / "rings").read_text(encoding="utf-8"))
    assert json.loads(line) == [1, {"greeting": "a=b", "kept": 7, "out": "rings", "empty": ""}]


def test_without_effects_nothing_is_dispatched(on_store: Command) -> None:
    """--no-effects commits the message, says that its effects are discarded, and runs none."""
    sent = on_store("send", "box:@b", "ring", "--no-effects", "--config", "out=rings", "--json").done().document
    assert [effect["status"] for effect in sent["effects"]] == ["discarded"]
    assert sent["version"] == 1
    assert not (on_store.folder / "rings").exists()


def test_a_failing_effect_is_told_and_undoes_nothing(on_store: Command) -> None:
    """A failing effect leaves status 8, the result, an error with its line, and the other effects done."""
    ring = ("send", "box:@b", "ring", "times=3", "failing=1")
    plain, as_json = on_store(*ring), on_store(*ring, "--json")
    assert (plain.status, as_json.status) == (8, 8)
    assert [effect["status"] for effect in as_json.document["effects"]] == ["failed", "done", "done"]
    problem = as_json.document["effects"][0]["error"]
    assert re.fullmatch(r"OSError: the bell 1 is broken \(.*/entities/box\.py:\d+\)", problem)
    assert as_json.error["code"] == "effect_failed"
    assert "is committed (version 2)" in as_json.error["message"]
    assert problem in as_json.error["message"]
    assert "the message is committed (version 1)" in plain.err
    assert f"  effect    Bell failed: {problem}" in lines(plain.out)
    assert lines(plain.out)[-1] == "  effect    Bell done"
    assert len(on_store.quick("history", "box:@b", "--json").documents) == 2


def test_a_message_that_changes_nothing_is_done(on_store: Command) -> None:
    """A message that leads to no event succeeds, writes nothing, and says so."""
    sent = on_store("send", "box:@b", "look", "--json").done().document
    assert (sent["version"], sent["events"], sent["effects"]) == (0, [], [])
    assert "(no events)" in on_store.quick("send", "box:@b", "look").done().out
    assert on_store.log() == []


def test_a_rejections_own_details_cannot_pass_for_the_commands(pachyderm: Command, project: Path) -> None:
    """What an entity puts into its Rejected comes out with the error, and code and message stay the command's."""
    source = (project / "entities/box.py").read_text(encoding="utf-8")
    rejected = 'Rejected(reason, code=7, message="mine", limit=5, by={1: 2})'
    (project / "entities/box.py").write_text(source.replace("Rejected(reason)", rejected), encoding="utf-8")
    error = pachyderm.quick("send", "box:@b", "refuse", "--json").error
    assert error == {"code": "rejected", "message": "the box is shut", "limit": 5, "by": {"1": 2}}
