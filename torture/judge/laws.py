"""The laws that every run is held against, each by itself; see `History` for what they judge."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import NamedTuple

from torture.judge.history import Entity, History, Intent, Row, Seen

ADDED, TAKEN, GIVING = "Added", "Taken", "Take"


class Breach(NamedTuple):
    """A law that was broken, and where."""

    law: str
    what: str


def judge(history: History) -> list[Breach]:
    """Return every breach of every law."""
    return [Breach(law.__name__, what) for law in LAWS for what in law(history)]


def nothing_acknowledged_is_missing(history: History) -> Iterator[str]:
    """What a client was told is in the log: its events, with the entity, the version and all their parts."""
    intents = {each.message_id: each for each in history.intents}
    messages = history.by_message()
    for answer in history.answers:
        intent = intents[answer.message_id]
        rows = messages.get((intent.network, intent.message_id), [])
        if answer.version is None:
            if rows:
                yield f"{intent.message_id} was answered as rejected, and has {len(rows)} events"
        elif not rows:
            yield f"{intent.message_id} was answered with version {answer.version}, and has no event"
        elif rows[-1].version != answer.version or rows[-1].entity != intent.entity:
            yield f"{intent.message_id} was answered with version {answer.version}, and is {rows[-1]}"


def versions_have_no_gap(history: History) -> Iterator[str]:
    """An entity's versions are 1..n in the order of their positions, and its head says n."""
    entities = history.by_entity()
    for whose, rows in entities.items():
        if [row.version for row in rows] != list(range(1, len(rows) + 1)):
            yield f"{whose} has the versions {[row.version for row in rows]}"
        if any(one.position >= other.position for one, other in pairwise(rows)):
            yield f"{whose} has versions that are not in the order of their positions"
    if history.heads != {whose: rows[-1].version for whose, rows in entities.items()}:
        yield "the heads are not at the last versions"


def no_decision_is_stale(history: History) -> Iterator[str]:
    """What a decision saw of the state is what all the events before it add up to: so no update was lost either."""
    for whose, rows in history.by_entity().items():
        total = 0
        before = (0, 0)
        for row in rows:
            if row.ordinal == 0:
                before = (total, row.version - 1)
            if (row.data["before"], row.data["count"]) != before:
                yield f"{whose} version {row.version} was decided at {row.data}, and the log says {before}"
            total += row.data["amount"]


def a_send_is_whole(history: History) -> Iterator[str]:
    """A message's events are all of its parts, one after the other, in one entity."""
    intents = {(each.network, each.message_id): each for each in history.intents}
    for key, rows in history.by_message().items():
        first = rows[0]
        wanted = intents[key].message["parts"] if key in intents else 1
        if [(row.ordinal, row.whose, row.version) for row in rows] != [
            (at, first.whose, first.version + at) for at in range(wanted)
        ]:
            yield f"the message {key} with {wanted} parts has the events {rows}"


def an_id_has_one_outcome(history: History) -> Iterator[str]:
    """What is in the log was asked for, by a client or by an effect that was committed; each as it was asked for."""
    intents = {(each.network, each.message_id): each for each in history.intents}
    effects = {(each.network, each.id): each for each in history.outbox}
    answers = defaultdict(set)
    for answer in history.answers:
        answers[answer.message_id].add(answer.version)
    for message_id, versions in answers.items():
        if len(versions) > 1:
            yield f"{message_id} was answered with the versions {versions}"
    for key, rows in history.by_message().items():
        intent = intents.get(key)
        if intent is None:
            if key not in effects or rows[0].type != TAKEN:
                yield f"nobody asked for {rows[0]}"
        elif rows[0].entity != intent.entity or rows[0].data["amount"] != intent.message["amount"]:
            yield f"{intent} was asked for, and {rows[0]} came of it"


def no_effect_is_without_its_commit(history: History) -> Iterator[str]:
    """What ran belongs to events that are in the log, and asked for it."""
    intents = {(each.network, each.message_id): each for each in history.intents}
    rows = {(*row.whose, row.version): row for row in history.rows}
    for trace in history.traces:
        row = rows.get((trace.network, trace.entity, trace.version))
        intent = None if row is None else intents.get((row.network, row.message_id))
        if row is None:
            yield f"{trace} ran for an event that is not there"
        elif intent is None or not intent.message[trace.kind]:
            yield f"{trace} ran for {row}, which asked for none"


def every_effect_is_done(history: History) -> Iterator[str]:
    """Once all is drained: what is to run at least once did, what is to run at most once not twice; none is pending."""
    for effect in history.outbox:
        if effect.status not in ("done", "rejected"):
            yield f"{effect} is not done"
    ran = Counter((trace.kind, trace.network, trace.entity, trace.version) for trace in history.traces)
    for (kind, *whose), count in ran.items():
        if kind == "whisper" and count > 1:
            yield f"a whisper of {whose} ran {count} times"
    for rows, intent in _committed(history):
        last = rows[-1]
        if intent.message["ring"] and not ran["ring", last.network, last.entity, last.version]:
            yield f"{intent} is in the log, and its ring never ran"


def messages_are_delivered_exactly_once(history: History) -> Iterator[str]:
    """Once all is drained: what one entity gave another took, once, and nobody took what was not given."""
    given = {
        (row.network, row.message_id): (intent.message["give_to"], intent.message["amount"])
        for rows, intent in _committed(history)
        for row in rows[:1]
        if intent.message["give_to"] is not None
    }
    taken = Counter((row.network, row.data["origin"]) for row in history.rows if row.type == TAKEN)
    for key, count in taken.items():
        if key not in given or count > 1:
            yield f"what {key} gave was taken {count} times" if key in given else f"{key} gave nothing that is taken"
    for row in history.rows:
        if row.type == TAKEN and given.get((row.network, row.data["origin"])) != (row.entity, row.data["amount"]):
            yield f"{row} is not what was given"
    for key in given:
        if not taken[key]:
            yield f"what {key} gave was never taken"


def networks_are_apart(history: History) -> Iterator[str]:
    """An event says which network's client asked for it; so does what a follower of a network saw."""
    for row in history.rows:
        if row.data["network"] != row.network:
            yield f"{row} is of another network"
    where = {row.position: row.network for row in history.rows}
    for seen in history.seen:
        if where.get(seen.position) != seen.network:
            yield f"{seen} is of another network"


def followers_miss_nothing(history: History) -> Iterator[str]:
    """A follower saw its network's whole log, and each entity's events in order; what came again came as it did."""
    logs: dict[str, list[tuple[int, str, int]]] = defaultdict(list)
    for row in history.rows:
        logs[row.network].append((row.position, row.entity, row.version))
    noted: dict[str, list[Seen]] = defaultdict(list)
    for seen in history.seen:
        noted[seen.follower].append(seen)
    for follower, everything in noted.items():
        first: dict[tuple[int, str, int], None] = {}
        last: dict[Entity, int] = {}
        for seen in everything:
            event = (seen.position, seen.entity, seen.version)
            whose = (seen.network, seen.entity)
            if event not in first and seen.version != last.get(whose, 0) + 1:
                yield f"{follower} saw {seen} after version {last.get(whose, 0)}"
            last[whose] = max(last.get(whose, 0), seen.version)
            first[event] = None
        missed = set(logs[everything[0].network]) - first.keys()
        if missed:
            yield f"{follower} missed {len(missed)} events, such as {min(missed)}"
        if list(first) != sorted(first):
            yield f"{follower} saw events out of the order of their positions"
        if len(missed) + len(first) != len(logs[everything[0].network]):
            yield f"{follower} saw events that are not in the log"


def _committed(history: History) -> Iterator[tuple[list[Row], Intent]]:
    """Yield the events of each message that a client sent, with what the client wanted."""
    intents = {(each.network, each.message_id): each for each in history.intents}
    for key, rows in history.by_message().items():
        if key in intents:
            yield rows, intents[key]


LAWS: tuple[Callable[[History], Iterator[str]], ...] = (
    nothing_acknowledged_is_missing,
    versions_have_no_gap,
    no_decision_is_stale,
    a_send_is_whole,
    an_id_has_one_outcome,
    no_effect_is_without_its_commit,
    every_effect_is_done,
    messages_are_delivered_exactly_once,
    networks_are_apart,
    followers_miss_nothing,
)
