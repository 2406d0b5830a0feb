"""A history that breaks no law, for faults to be put into."""

from typing import Any

from torture.judge.history import Answer, Began, Follower, History, Intent, Moved, Queued, Row, Seen, Trace

RED, A, B = "red", "entity-a", "entity-b"
RING = Trace("ring", RED, A, 2, "r1", "m1", RED)
WHISPER = Trace("whisper", RED, A, 3, "w1", "m2", RED)


def a_message(amount: int, parts: int = 1, **wanted: Any) -> dict[str, Any]:
    """Return what a client asks for."""
    return {"amount": amount, "parts": parts, "ring": False, "whisper": False, "give_to": None, **wanted}


def row(position: int, version: int, before: int, message_id: str, **values: Any) -> Row:
    """Return an event of A that adds 5, decided at the version before its message."""
    ordinal = values.get("ordinal", 0)
    data = {"network": RED, "amount": 5, "before": before, "count": version - 1 - ordinal}
    event = Row(position, RED, A, version, "Added", data, message_id, 0)
    return event._replace(**values)


def sound() -> History:
    """Return a history with two parts of one message, a rejection, effects, a gift, and a follower that was killed."""
    gift = Row(4, RED, B, 1, "Taken", {"network": RED, "amount": 5, "before": 0, "count": 0, "origin": "m2"}, "q1", 0)
    one, two, three, four = (
        Seen("f", RED, at, whose, version) for at, whose, version in ((1, A, 1), (2, A, 2), (3, A, 3), (4, B, 1))
    )
    moved = [Moved("f", 1, is_done) for is_done in (False, True)]
    return History(
        intents=[
            Intent("c", RED, A, "m1", a_message(5, 2, ring=True)),
            Intent("c", RED, A, "m2", a_message(5, whisper=True, give_to=B)),
            Intent("c", RED, A, "m3", a_message(0), at=3.0),
            Intent("c", RED, A, "m4", a_message(5)),  # its client was killed, and it did not happen
            Intent("c", RED, A, "m5", a_message(5, quiet=True), at=1.5),
            Intent("d", "blue", A, "m1", a_message(5)),
        ],
        answers=[
            Answer("c", "m1", 2, at=1.0),
            Answer("c", "m2", 3, is_first=True, at=2.0),
            Answer("c", "m3", None, saw=(3, 15), at=4.0),
            Answer("c", "m5", 2, saw=(2, 10), at=4.0),  # it began before the third event was told
        ],
        repeats=[Answer("c", "m1", 2), Answer("c", "m3", None)],
        rows=[row(1, 1, 0, "m1"), row(2, 2, 0, "m1", ordinal=1), row(3, 3, 10, "m2"), gift],
        heads={(RED, A): 3, (RED, B): 1},
        outbox=[Queued("r1", RED, A, 2, "m1", "Ring", "done"), Queued("q1", RED, A, 3, "m2", "Send", "done")],
        traces=[RING, RING, WHISPER],
        followers=[Follower("f", RED)],
        followed=[Began("f"), one, *moved, two, three, Began("f"), two, three, four],
        cursors_hold=True,
    )
