"""`pachyderm send --file`: the lines that are at hand share a commit, and each is still told on its own."""

import codecs
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from pachyderm_cli.engine.engine import Pachyderm
from pachyderm_cli.errors import StoreError
from pachyderm_cli.store.schema import events
from tests.cli.running import SECONDS, Command, hear, tell
from tests.support.raw import connected

KNOWN = "abcd0000-0000-4000-8000-000000000001"
TWIN = "abcd0000-0000-4000-8000-000000000002"


def message_id(number: int) -> str:
    """Return the id that the message of line `number` has."""
    return f"0190f5fc-0000-7000-8000-{number:012}"


def line(number: int, message: str = "ring", to: str = "box:@b", **data: Any) -> str:
    """Return the line `number` of a file, without an end."""
    return json.dumps({"to": to, "message": message, "data": data, "id": message_id(number)})


def sent_ids(documents: list[Any]) -> list[str]:
    """Return the message ids of results, in order."""
    return [sent["message_id"] for sent in documents]


def logged_ids(store_url: str) -> list[str]:
    """Return the message ids of the log's events, in order; each message here leads to one event."""
    with connected(store_url) as connection:
        return [str(each) for each in connection.scalars(select(events.c.message_id).order_by(events.c.position))]


def test_lines_that_come_slowly_are_answered_one_by_one(on_store: Command) -> None:
    """Whoever writes a line and waits has its result, or its error, before the next line is there."""
    with on_store.start("send", "--file", "-", "--json", "--keep-going", stdin=subprocess.PIPE) as process:
        for number in range(1, 6):
            tell(process, line(number) + "\n")
            (sent,) = hear(process, 1)
            assert (sent["version"], sent["message_id"]) == (number, message_id(number))
        tell(process, "\n" + line(7, "refuse") + "\n")
        assert process.stderr is not None
        assert json.loads(process.stderr.readline())["error"]["line"] == 7
        out, err = process.communicate(timeout=SECONDS)
    assert (process.returncode, out, err) == (5, "", "")


def test_a_line_that_comes_in_pieces_waits_for_its_end(on_store: Command) -> None:
    """What is whole is answered at once, and a line of which half is there when the rest has come."""
    second = line(2)
    with on_store.start("send", "--file", "-", "--json", stdin=subprocess.PIPE) as process:
        tell(process, line(1) + "\n" + second[:20])
        assert sent_ids(hear(process, 1)) == [message_id(1)]
        tell(process, second[20:] + "\r")
        tell(process, "\n" + line(3))
        assert sent_ids(hear(process, 1)) == [message_id(2)]
        out, err = process.communicate(timeout=SECONDS)  # closes its input, which ends the last line
    assert (process.returncode, err) == (0, "")
    assert sent_ids([json.loads(out)]) == [message_id(3)]


LAST, LONG, FAR = 3200, 1500, 2500
"""Lines of `odd_file`: the last one, the one that is longer than several blocks, and one far in the file."""


def odd_file(*, far: str) -> tuple[bytes, list[str]]:
    """Return a file of many blocks that has everything odd, `far` as its line FAR, and the ids of the other lines."""
    texts, ids = [], []
    for number in range(1, LAST + 1):
        if number % 100 == 7:
            texts.append("" if number % 200 == 7 else " \t")
        elif number == FAR:
            texts.append(far)
        elif number == LONG:
            texts.append(line(number, "put-in", to="box:@long", text="y" * 1_200_000))
            ids.append(message_id(number))
        else:
            texts.append(line(number, "put-in", to=f"box:@{number % 100}", text="äx" * 130))
            ids.append(message_id(number))
    ends = ["\r\n" if number % 3 == 0 else "\n" for number in range(1, LAST)]
    text = "".join(text + end for text, end in zip(texts, [*ends, ""], strict=True))
    return codecs.BOM_UTF8 + text.encode(), ids


def test_a_long_file_is_sent_line_by_line_in_order(on_store: Command, store_url: str, tmp_path: Path) -> None:
    """Blank, overlong and oddly ended lines of a file of many blocks are each sent once, with results in order."""
    content, ids = odd_file(far="")
    (tmp_path / "odd.jsonl").write_bytes(content)
    result = on_store("send", "--file", tmp_path / "odd.jsonl", "--json").done()
    assert sent_ids(result.documents) == ids
    assert logged_ids(store_url) == ids
    assert not any(sent["duplicate"] for sent in result.documents)
    again = on_store("send", "--file", "-", stdin=content).done()
    assert again.out == f"{len(ids)} handled, {len(ids)} of them handled before\n"


@pytest.mark.parametrize(
    ("far", "code"),
    [('{"to": "box:@b"', "invalid_message"), (line(FAR, "refuse"), "rejected")],
    ids=["text", "refused"],
)
def test_a_bad_line_far_in_a_long_file_is_told_by_its_number(
    pachyderm: Command, tmp_path: Path, far: str, code: str
) -> None:
    """Blocks do not upset the count: the line is named, and all before it is sent, or with --keep-going all others."""
    store_url = f"sqlite:///{pachyderm.folder}/pachyderm.db"
    content, ids = odd_file(far=far)
    (tmp_path / "odd.jsonl").write_bytes(content)
    before = [each for each in ids if each < message_id(FAR)]
    stopped = pachyderm.quick("send", "--file", tmp_path / "odd.jsonl", "--json")
    assert (stopped.error["code"], stopped.error["line"]) == (code, FAR)
    assert sent_ids(stopped.documents) == logged_ids(store_url) == before
    going_on = pachyderm.quick("send", "--file", tmp_path / "odd.jsonl", "--keep-going")
    assert going_on.err.startswith(f"error: line {FAR}: ")
    assert going_on.out == f"{len(ids)} handled, {len(before)} of them handled before, 1 failed\n"
    assert logged_ids(store_url) == ids


BAD = {
    "unreadable": ("{", 2, "invalid_message"),
    "unknown type": (line(21, to="bix:new"), 2, "unknown_entity_type"),
    "bad data": (line(21, "weigh", grams="many"), 2, "invalid_message"),
    "id of an earlier line": (line(20, "look"), 4, "message_id_conflict"),
    "rejected": (line(21, "refuse"), 5, "rejected"),
    "crash of handle": (line(21, "crash", where="handle"), 1, "entity_failed"),
    "crash of update": (line(21, "crash", where="update"), 1, "entity_failed"),
}


@pytest.mark.parametrize(("bad", "status", "code"), BAD.values(), ids=BAD.keys())
def test_a_bad_line_in_the_middle_of_a_batch(
    on_store: Command, store_url: str, bad: str, status: int, code: str
) -> None:
    """What stands before it is committed, nothing after it; with --keep-going everything but it, in order."""
    first, last = [*range(1, 21)], [*range(22, 42)]
    text = "\n".join([*map(line, first), bad, *map(line, last)])
    stopped = on_store.quick("send", "--file", "-", "--json", stdin=text)
    assert (stopped.status, stopped.error["code"]) == (status, code)
    assert stopped.error.get("input_line", stopped.error.get("line")) == 21
    assert sent_ids(stopped.documents) == logged_ids(store_url) == [*map(message_id, first)]
    going_on = on_store.quick("send", "--file", "-", "--json", "--keep-going", stdin=text)
    assert (going_on.status, going_on.error["code"]) == (status, code)
    assert sent_ids(going_on.documents) == logged_ids(store_url) == [*map(message_id, first + last)]
    assert [sent["duplicate"] for sent in going_on.documents] == [True] * 20 + [False] * 20


def test_a_line_may_mean_what_one_before_it_made(on_store: Command, store_url: str) -> None:
    """A prefix, or an id without its type, is looked up after the lines before it, also those of the same batch."""
    receivers = [f"box:{KNOWN}", "abcd", "box:abcd0000", KNOWN, f"counter:{TWIN}", TWIN, KNOWN[:-1] + "1"]
    messages = ["ring", "ring", "ring", "ring", "increment", "increment", "ring"]
    text = "\n".join(line(n, messages[n], to) for n, to in enumerate(receivers))
    results = on_store.quick("send", "--file", "-", "--json", stdin=text).done().documents
    assert [sent["version"] for sent in results] == [1, 2, 3, 4, 1, 2, 5]
    assert results[5]["entity"] == {"type": "counter", "id": TWIN}
    assert logged_ids(store_url) == [*map(message_id, range(7))]


def test_a_prefix_is_ambiguous_from_the_line_on_that_makes_a_twin(on_store: Command) -> None:
    """A prefix that fitted one entity fits two as soon as a line before has made the second."""
    text = "\n".join(line(n, to=to) for n, to in enumerate([f"box:{KNOWN}", "abcd", f"box:{TWIN}", "abcd", "box:@b"]))
    result = on_store.quick("send", "--file", "-", "--json", stdin=text)
    assert (result.status, result.error["code"], result.error["line"]) == (3, "ambiguous_reference", 4)
    assert sent_ids(result.documents) == [*map(message_id, range(3))]


def test_what_a_failed_line_would_have_made_is_not_found(on_store: Command) -> None:
    """A prefix after a refused line means nothing; without --keep-going only the refused line is told."""
    text = "\n".join([line(1, "refuse", f"box:{KNOWN}"), line(2, to="abcd"), line(3)])
    stopped = on_store.quick("send", "--file", "-", "--json", stdin=text)
    assert (stopped.out, stopped.error["code"], stopped.error["line"]) == ("", "rejected", 1)
    going_on = on_store.quick("send", "--file", "-", "--json", "-k", stdin=text)
    assert [(error["code"], error["line"]) for error in going_on.errors] == [("rejected", 1), ("not_found", 2)]
    assert sent_ids(going_on.documents) == [message_id(3)]


def test_an_id_that_comes_twice_is_handled_once(on_store: Command, store_url: str) -> None:
    """A line that repeats the id and message of one before it in the file has that one's result, as a duplicate."""
    numbers = [1, 1, 2, 1, 3, 2]
    text = "\n".join(map(line, numbers))
    results = on_store.quick("send", "--file", "-", "--json", stdin=text).done().documents
    assert [(sent["version"], sent["duplicate"]) for sent in results] == [
        (1, False),
        (1, True),
        (2, False),
        (1, True),
        (3, False),
        (2, True),
    ]
    assert logged_ids(store_url) == [*map(message_id, [1, 2, 3])]
    again = "\n".join(line(number + 10) for number in numbers)
    assert on_store.quick("send", "--file", "-", stdin=again).out == "6 handled, 3 of them handled before\n"


def test_a_failing_store_is_not_the_fault_of_the_line_that_had_to_wait(
    pachyderm: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A commit that fails before a prefix is looked up ends the file, with --keep-going too: no line is passed over."""

    def failing(*_: Any, **__: Any) -> Any:
        monkeypatch.undo()
        raise StoreError("the connection is lost")

    monkeypatch.setattr(Pachyderm, "send_all", failing)
    text = "\n".join([line(1), line(2), line(3, to="abcd"), line(4)])
    result = pachyderm.quick("send", "--file", "-", "--json", "-k", stdin=text)
    assert (result.status, result.out) == (7, "")
    assert result.error == {"code": "store_error", "message": "the connection is lost"}
    assert pachyderm.log() == []


def test_a_mark_before_a_blank_first_line_is_blank_too(pachyderm: Command) -> None:
    """A byte order mark with nothing else on its line leaves the line blank."""
    text = codecs.BOM_UTF8 + b"\r\n" + line(1).encode() + b"\r\n{"
    result = pachyderm.quick("send", "--file", "-", "--json", stdin=text)
    assert sent_ids(result.documents) == [message_id(1)]
    assert result.error["line"] == 3


def test_a_pipe_that_does_not_block_is_waited_for(pachyderm: Command) -> None:
    """A writer that set its pipe not to block, as event loops do, ends the file by closing it, not by being slow."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    line = b'{"to": "counter:@a", "message": "increment"}\n'
    command = [*pachyderm.line("send", "--file", "-", "--json")]
    with subprocess.Popen(
        command, cwd=pachyderm.folder, env=pachyderm.environment({}), stdin=reader, stdout=subprocess.PIPE
    ) as process:
        os.close(reader)
        assert process.stdout is not None
        for version in (1, 2, 3):
            os.write(writer, line)
            assert json.loads(process.stdout.readline())["version"] == version
        os.close(writer)
        assert process.wait(SECONDS) == 0


def test_a_file_that_cannot_be_read_is_named(pachyderm: Command) -> None:
    """A read that fails is told with the file's name, as a usage error."""
    result = pachyderm.quick("send", "--file", "/proc/self/mem")
    assert result.status == 2
    assert result.err.startswith("error: --file /proc/self/mem: ")
