"""`pachyderm send --file`: JSON Lines in, results in the same order."""

import codecs
import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import Command, Result, lines

IDS = [f"0190f5fc-0000-7000-8000-{number:012}" for number in range(100)]


def jsonl(*documents: Any) -> str:
    """Return the documents as JSON Lines."""
    return "".join(json.dumps(document) + "\n" for document in documents)


def rings(count: int) -> str:
    """Return lines for `count` messages to three boxes in turn, each with an id."""
    return jsonl(*({"to": f"box:@{n % 3}", "message": "ring", "id": IDS[n]} for n in range(count)))


def test_results_come_in_the_order_of_the_lines(on_store: Command, tmp_path: Path) -> None:
    """With --json each line has its object, in file order, and a second run has the same as duplicates."""
    (tmp_path / "rings.jsonl").write_text(rings(20), encoding="utf-8")
    first = on_store("send", "--file", tmp_path / "rings.jsonl", "--json").done().documents
    assert [sent["message_id"] for sent in first] == IDS[:20]
    assert [sent["version"] for sent in first] == [n // 3 + 1 for n in range(20)]
    assert not any(sent["duplicate"] for sent in first)
    again = on_store("send", "--file", "-", "--json", stdin=rings(20)).done().documents
    assert again == [{**sent, "duplicate": True, "effects": []} for sent in first]
    assert sum(len(events) for _, events in on_store.log()) == 20


def test_without_json_there_is_a_summary(pachyderm: Command) -> None:
    """Without --json the outcome of the whole file is one line, which tells duplicates."""
    assert pachyderm("send", "-f", "-", stdin=rings(5)) == Result(0, "5 handled\n", "")
    assert pachyderm.quick("send", "-f", "-", stdin=rings(7)).out == "7 handled, 5 of them handled before\n"


def test_an_empty_file_is_done_at_once(pachyderm: Command) -> None:
    """A file with nothing but blank lines sends nothing, and that is no failure."""
    for text in ("", "\n \n\t\n"):
        assert pachyderm.quick("send", "--file", "-", stdin=text).done().out == "0 handled\n"
        assert pachyderm.quick("send", "--file", "-", "--json", stdin=text).done().out == ""


def test_lines_may_be_blank_or_end_as_on_windows(pachyderm: Command) -> None:
    """Blank lines are skipped, and counted; carriage returns and a missing newline at the end do no harm."""
    text = '\n{"to": "box:@b", "message": "ring"}\r\n\n  {"to": "box:@b", "message": "look"}\n\nbroken'
    result = pachyderm.quick("send", "--file", "-", "--json", stdin=text)
    assert [sent["version"] for sent in result.documents] == [1, 1]
    assert (result.status, result.error["line"]) == (2, 6)


def test_every_kind_of_reference_goes_into_a_file(on_store: Command) -> None:
    """Lines may say `new`, a name, an id, a prefix, and leave the type out, also of what an earlier line made."""
    known = "abcd0000-0000-4000-8000-000000000001"
    receivers = ["box:new", "box:@b", f"box:{known}", known.upper(), "abcd", "box:abcd0"]
    text = jsonl(*({"to": to, "message": "Ring"} for to in receivers))
    results = on_store.quick("send", "--file", "-", "--json", stdin=text).done().documents
    assert [sent["entity"]["id"] for sent in results[2:]] == [known] * 4
    assert results[-1]["version"] == 4


BAD = {
    "no JSON": ("{", 2, "invalid_message", ("Invalid JSON",)),
    "no object": ("[]", 2, "invalid_message", ("object",)),
    "no text": (b"\xff\xfe", 2, "invalid_message", ("Invalid JSON",)),
    "no message": ('{"to": "box:@b"}', 2, "invalid_message", ("message: Field required", '{"to": REF')),
    "no receiver": ('{"message": "ring"}', 2, "invalid_message", ("to: Field required",)),
    "unknown key": (
        '{"to": "box:@b", "mesage": "ring"}',
        2,
        "invalid_message",
        ("message: Field required",),
    ),
    "another unknown key": (
        '{"to": "box:@b", "message": "ring", "dat": {}}',
        2,
        "invalid_message",
        ("no key 'dat'", "did you mean data?"),
    ),
    "data no object": ('{"to": "box:@b", "message": "ring", "data": 1}', 2, "invalid_message", ("data",)),
    "bad id": ('{"to": "box:@b", "message": "ring", "id": "1"}', 2, "invalid_message", ("id: ", "UUID")),
    "receiver no text": ('{"to": 1, "message": "ring"}', 2, "invalid_message", ("to: ", "string")),
    "bad reference": ('{"to": "box:?", "message": "ring"}', 2, "invalid_reference", ("'box:?'",)),
    "unknown type": ('{"to": "bix:new", "message": "ring"}', 2, "unknown_entity_type", ("did you mean box?",)),
    "unknown message": ('{"to": "box:new", "message": "rung"}', 2, "unknown_message", ("did you mean ring?",)),
    "bad field": (
        '{"to": "box:new", "message": "weigh", "data": {"grams": "x"}}',
        2,
        "invalid_message",
        ("Weigh.grams", "'x'"),
    ),
    "unknown field": (
        '{"to": "box:new", "message": "weigh", "data": {"gram": 1}}',
        2,
        "invalid_message",
        ("Weigh.gram: there is no such field", "did you mean grams?"),
    ),
    "no such entity": ('{"to": "9999", "message": "ring"}', 3, "not_found", ("'9999'",)),
    "id used": (
        f'{{"to": "box:@b", "message": "look", "id": "{IDS[0]}"}}',
        4,
        "message_id_conflict",
        (IDS[0], "already used"),
    ),
    "refused": ('{"to": "box:@b", "message": "refuse"}', 5, "rejected", ("the box is shut",)),
    "crash": (
        '{"to": "box:@b", "message": "crash", "data": {"where": "handle"}}',
        1,
        "entity_failed",
        ("handle broke", "box.py:"),
    ),
}


@pytest.mark.parametrize(("line", "status", "code", "says"), BAD.values(), ids=BAD.keys())
def test_a_bad_line_is_told_by_its_number_and_ends_the_file(
    pachyderm: Command, line: str | bytes, status: int, code: str, says: tuple[str, ...]
) -> None:
    """The first bad line is told with number, code and reason; what is before it is sent, nothing after."""
    good = jsonl({"to": "box:@b", "message": "ring", "id": IDS[0]})
    raw = line if isinstance(line, bytes) else line.encode()
    text = good.encode() + b"\n" + raw + b"\n" + rings(9).encode()
    as_json = pachyderm.quick("send", "--file", "-", "--json", stdin=text)
    assert (as_json.status, len(as_json.documents)) == (status, 1)
    error = as_json.error
    assert (error["code"], error.get("input_line", error["line"])) == (code, 3)
    assert error["message"].startswith("line 3: ")
    for said in says:
        assert said in error["message"]
    plain = pachyderm.quick("send", "--file", "-", stdin=text)
    assert plain.err == f"error: {error['message']}\n"
    assert plain.out == ("1 handled, 1 of them handled before, 1 failed, stopped at line 3 (--keep-going goes on)\n")
    assert sum(len(events) for _, events in pachyderm.log()) == 1


def test_keep_going_sends_all_good_lines(on_store: Command) -> None:
    """With --keep-going good lines are sent, bad ones told in place; the status is the first failure's."""
    text = jsonl(
        {"to": "box:@b", "message": "ring"},
        {"to": "box:@b", "message": "refuse"},
        {"to": "box:@b", "message": "no such"},
        {"to": "box:@b", "message": "crash", "data": {"where": "handle"}},
        {"to": "box:@b", "message": "ring"},
    )
    as_json = on_store("send", "--file", "-", "--keep-going", "--json", stdin=text)
    assert as_json.status == 5
    assert [sent["version"] for sent in as_json.documents] == [1, 2]
    assert [error["code"] for error in as_json.errors] == ["rejected", "unknown_message", "entity_failed"]
    assert [error["line"] for error in as_json.errors[:2]] == [2, 3]
    assert as_json.errors[2]["input_line"] == 4
    assert as_json.errors[2]["file"].endswith("entities/box.py")
    plain = on_store.quick("send", "--file", "-", "-k", stdin=text)
    assert plain.out == "2 handled, 3 failed\n"
    assert [line.partition(": ")[2][:7] for line in lines(plain.err)] == ["line 2:", "line 3:", "line 4:"]


def test_a_failing_effect_ends_nothing(on_store: Command) -> None:
    """A line whose effect fails is committed, told, and followed by the next one; the status is 8."""
    text = jsonl(
        {"to": "box:@b", "message": "ring", "data": {"failing": 1}},
        {"to": "box:@b", "message": "ring"},
    )
    result = on_store("send", "--file", "-", "--json", stdin=text)
    assert result.status == 8
    assert [sent["version"] for sent in result.documents] == [1, 2]
    assert (result.error["code"], result.error["line"]) == ("effect_failed", 1)
    assert on_store.quick("send", "--file", "-", stdin=text).out == "2 handled, 1 failed\n"


def test_effects_of_a_file_get_the_config_or_are_left_out(pachyderm: Command) -> None:
    """--config and --no-effects count for every line."""
    text = rings(4)
    pachyderm.quick("send", "--file", "-", "--no-effects", "--config", "out=rings", stdin=text).done()
    assert not (pachyderm.folder / "rings").exists()
    fresh = jsonl(*({"to": "box:new", "message": "ring"} for _ in range(3)))
    pachyderm.quick("send", "--file", "-", "--config", "out=rings", stdin=fresh).done()
    assert len(lines((pachyderm.folder / "rings").read_text(encoding="utf-8"))) == 3


OWN_KIND = """
class Shut(Rejected):
    def __init__(self, *, lid: int) -> None:
        super().__init__("the lid", lid=lid)


"""


def test_an_entitys_own_kind_of_rejection_is_told_like_any(pachyderm: Command, project: Path) -> None:
    """A subclass of Rejected with arguments of its own is told with its line's number."""
    source = (project / "entities/box.py").read_text(encoding="utf-8")
    source = source.replace("class Place", f"{OWN_KIND}class Place").replace("Rejected(reason)", "Shut(lid=3)")
    (project / "entities/box.py").write_text(source, encoding="utf-8")
    text = jsonl({"to": "box:@b", "message": "refuse"})
    error = pachyderm.quick("send", "--file", "-", "--json", stdin=text).error
    assert error == {"code": "rejected", "message": "line 1: the lid", "lid": 3, "line": 1}


def test_on_a_terminal_a_progress_bar_comes_and_goes(pachyderm: Command, tmp_path: Path) -> None:
    """On a terminal the summary is what is left of a file's sending."""
    (tmp_path / "rings.jsonl").write_text(rings(5), encoding="utf-8")
    shown = pachyderm.on_terminal("send", "--file", tmp_path / "rings.jsonl")
    assert "sending" in shown
    assert shown.endswith("5 handled\n")


def test_a_byte_order_mark_is_no_part_of_the_first_line(pachyderm: Command) -> None:
    """A file that an editor began with a byte order mark is read as without it."""
    file = pachyderm.folder / "marked.jsonl"
    file.write_bytes(codecs.BOM_UTF8 + b'{"to": "counter:@a", "message": "increment"}\r\n')
    assert pachyderm.quick("send", "--file", str(file)).done().out == "1 handled\n"


def test_a_number_that_is_too_exact_is_told_before_what_else_is_wrong(pachyderm: Command) -> None:
    """What the number was meant to be is gone once it is read, and so is what would be said of it."""
    lines = pachyderm.folder / "lines.jsonl"
    for literal in ("0.12345678901234567891", "1e400"):
        data = f'{{"exact": {literal}, "more": 1}}'
        lines.write_text(f'{{"to": "box:@a", "message": "put-in", "data": {data}}}\n', encoding="utf-8")
        result = pachyderm.quick("send", "--file", str(lines), "--json")
        assert result.status == 2
        assert f"the number {literal} has more digits than JSON numbers keep" in result.error["message"]
