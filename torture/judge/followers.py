"""The law of followers: each sees all of its network's log, and goes back after a kill to where it was to be."""

from collections.abc import Iterator, Sequence

from torture.judge.history import Began, Follower, History, Moved, Row, Seen


def followers_miss_nothing(history: History) -> Iterator[str]:
    """Who was to follow saw its network's whole log, each event right after the one before it in the log.

    Whoever begins again goes on behind a position that its cursor was moved to, or might have been when it was killed,
    and repeats from there, in order, what it had seen. Where `cursors_hold`, the last move that was done counts.
    """
    for network in sorted({row.network for row in history.rows} - {each.network for each in history.followers}):
        yield f"nobody was to follow {network}"
    for follower in history.followers:
        log = [row for row in history.rows if row.network == follower.network]
        way = _Way(follower, log, cursors_hold=history.cursors_hold)
        for note in (each for each in history.followed if each.follower == follower.name):
            yield from way.breaches(note)
        if way.furthest < len(way.log):
            yield f"{follower} missed {len(way.log) - way.furthest} events, such as {way.log[way.furthest]}"


class _Way:
    """How a follower went through its network's log."""

    def __init__(self, follower: Follower, log: Sequence[Row], *, cursors_hold: bool) -> None:
        self.log = log
        self.furthest = 0
        self._follower = follower
        self._cursors_hold = cursors_hold
        self._places = {row.position: at for at, row in enumerate(log)}
        self._next = 0  # where in the log the event is that is to come
        self._is_beginning = False
        self._may_begin, self._must_begin = {0}, 0  # where the cursor may have been ever, and where it was moved last

    def breaches(self, note: Began | Seen | Moved) -> Iterator[str]:
        """Yield what is wrong with the next of its notes."""
        match note:
            case Began():
                self._is_beginning = True
            case Moved(position=position, is_done=is_done):
                place = self._places.get(position, -1) + 1  # it was seen before, and is judged there
                self._may_begin.add(place)
                self._must_begin = place if is_done else self._must_begin
            case Seen(position=position, entity=entity, version=version):
                place = self._places.get(position, -1)
                if place < 0 or (self.log[place].entity, self.log[place].version) != (entity, version):
                    yield f"{self._follower} saw {note}, which is not in the log of its network"
                    return
                yield from self._out_of_order(note, place)
                self._next, self._is_beginning = place + 1, False
                self.furthest = max(self.furthest, self._next)

    def _out_of_order(self, seen: Seen, place: int) -> Iterator[str]:
        if not self._is_beginning:
            if place != self._next:
                yield f"{self._follower} saw {seen}, and not the event after the last one"
        elif place not in self._may_begin:
            yield f"{self._follower} began again with {seen}, behind which its cursor never was"
        elif self._cursors_hold and place < self._must_begin:
            yield f"{self._follower} began again with {seen}, although its cursor was moved further"
