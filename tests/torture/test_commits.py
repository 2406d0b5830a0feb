"""What the proxy before a Postgres server takes for a commit, and when it takes it for answered."""

import struct
from uuid import UUID

from torture.faults.cutting import Cut
from torture.faults.protocol import Commit, Dialogue
from torture.judge.history import History, Row
from torture.scenarios.unknown_outcome import what_did_not_happen

MESSAGE = UUID(int=7)
INSERT = b"INSERT INTO pachyderm_events (network, message_id) SELECT $1::VARCHAR AS a, $2::UUID AS b FROM moved"
IN_TRANSACTION, AT_REST = b"T", b"I"


def said(kind: bytes, body: bytes) -> bytes:
    """Return a message of either side."""
    return kind + struct.pack("!I", len(body) + 4) + body


def query(text: bytes) -> bytes:
    """Return a simple query."""
    return said(b"Q", text + b"\0")


def insert(message: UUID = MESSAGE) -> bytes:
    """Return a statement that writes an event, with a request to answer."""
    values = [b"red", str(message).encode()]
    bound = b"".join(struct.pack("!i", len(value)) + value for value in values)
    bind = b"\0\0" + struct.pack("!HH", 0, len(values)) + bound + struct.pack("!H", 0)
    parse = said(b"P", b"\0" + INSERT + b"\0" + struct.pack("!H", 0))
    return parse + said(b"B", bind) + said(b"E", b"\0" + struct.pack("!I", 0)) + said(b"S", b"")


def done(tag: bytes, status: bytes) -> bytes:
    """Return the answer to a statement."""
    return said(b"C", tag + b"\0") + said(b"Z", status)


def connected() -> Dialogue:
    """Return a connection on which the client has introduced itself."""
    dialogue = Dialogue()
    dialogue.asks(struct.pack("!IHH", 8, 3, 0))
    return dialogue


def committing(dialogue: Dialogue) -> Commit:
    """Let the client write an event in a transaction up to its COMMIT; return the commit."""
    assert dialogue.asks(query(b"BEGIN")) is None
    dialogue.answers(done(b"BEGIN", IN_TRANSACTION))
    assert dialogue.asks(insert()) is None
    commit = dialogue.asks(query(b"COMMIT"))
    assert commit is not None
    return commit


def test_only_a_commit_commits_a_transaction() -> None:
    """A statement that writes events in a transaction is no commit; COMMIT is, of the messages that were written."""
    commit = committing(connected())
    assert commit.messages == [MESSAGE.hex]
    assert commit.is_whole


def test_a_statement_outside_of_a_transaction_commits_by_itself() -> None:
    """It is one before a transaction and after one, and ends where its own request to run ends."""
    dialogue = connected()
    first = dialogue.asks(insert())
    assert first is not None
    assert first.end == len(insert()) - len(said(b"S", b""))
    dialogue.answers(done(b"INSERT 0 1", AT_REST))
    assert first.is_done
    for text in (b"BEGIN", b"ROLLBACK"):
        assert dialogue.asks(query(text)) is None
        dialogue.answers(done(text, AT_REST))
    assert dialogue.asks(insert()) is not None


def test_an_earlier_answer_is_not_that_of_the_commit() -> None:
    """A commit is answered by what follows the answers to all that was asked before it."""
    dialogue = connected()
    commit = committing(dialogue)
    dialogue.answers(done(b"INSERT 0 1", IN_TRANSACTION))
    assert not commit.is_answered
    dialogue.answers(said(b"C", b"COMMIT\0"))
    assert not commit.is_answered
    dialogue.answers(said(b"Z", AT_REST))
    assert commit.is_done


def test_a_commit_that_is_rolled_back_or_writes_nothing_is_not_done() -> None:
    """The server answers COMMIT with ROLLBACK after an error, and a lost race writes no row."""
    failed, late = connected(), connected()
    rolled_back, empty = committing(failed), committing(late)
    failed.answers(said(b"E", b"error") + said(b"Z", b"E") + done(b"ROLLBACK", AT_REST))
    late.answers(done(b"INSERT 0 0", IN_TRANSACTION) + done(b"COMMIT", AT_REST))
    assert rolled_back.is_answered
    assert not rolled_back.is_done
    assert empty.is_answered
    assert not empty.is_done


def test_a_pipeline_is_whole_with_its_last_message_alone() -> None:
    """What comes in pieces is put together, and a commit in it is whole once the request to answer was sent."""
    dialogue = connected()
    data = insert()
    found = [dialogue.asks(data[at : at + 1]) for at in range(len(data) - 1)]
    [commit] = [each for each in found if each is not None]
    assert not commit.is_whole
    dialogue.asks(data[-1:])
    assert commit.is_whole


def test_cuts_that_did_not_happen_are_breaches() -> None:
    """Too few cuts, a kind of cut that is missing, and an outcome that was never met are each told."""
    row = Row(1, "red", "a", 1, "Added", {}, str(MESSAGE), 0)
    other = UUID(int=8).hex
    met = [(cut, [MESSAGE.hex]) for cut in Cut] + [(Cut.SENT, [other])]
    history = History(rows=[row])
    assert list(what_did_not_happen(met, [(5, other)], history, 3)) == []
    for cuts, wanted in ((met, 4), (met[:-1], 2), (met[1:], 3)):
        assert {each.law for each in what_did_not_happen(cuts, [], history, wanted)} == {"the_faults_happened"}
