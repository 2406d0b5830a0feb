"""The laws that every run is held against, each by itself; see `History` for what they judge."""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from itertools import accumulate, combinations, pairwise
from typing import NamedTuple

from torture.judge.effects import an_effect_has_one_id, every_effect_is_done, no_effect_is_without_its_commit
from torture.judge.followers import followers_miss_nothing
from torture.judge.history import Entity, History, Intent, Row

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
    intents = _by_answer(history)
    messages = history.by_message()
    for answer in history.answers:
        intent = intents[answer.client, answer.message_id]
        rows = messages.get((intent.network, intent.message_id), [])
        if answer.version is None or intent.message.get("quiet"):
            if rows:
                yield f"{intent.message_id} was answered with no event, and has {len(rows)}"
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


def no_refusal_is_stale(history: History) -> Iterator[str]:
    """What a rejection, or a decision for no event, saw was there, and not before what anybody knew when it was sent.

    That is each version that any client had been told of by then.
    """
    intents = _by_answer(history)
    sums = {
        whose: list(accumulate((row.data["amount"] for row in rows), initial=0))
        for whose, rows in history.by_entity().items()
    }
    known: dict[Entity, list[tuple[float, int]]] = defaultdict(list)
    for answer in sorted(history.answers, key=lambda answer: answer.at):
        intent = intents[answer.client, answer.message_id]
        versions = known[intent.network, intent.entity]
        versions.append((answer.at, max(answer.version or 0, versions[-1][1] if versions else 0)))
    for answer in history.answers:
        if answer.saw is None:
            continue
        intent = intents[answer.client, answer.message_id]
        whose = (intent.network, intent.entity)
        before = bisect_left(known[whose], intent.at, key=lambda each: each[0])
        least = known[whose][before - 1][1] if before else 0
        count, total = answer.saw
        if count >= len(sums.get(whose, [0])) or sums.get(whose, [0])[count] != total:
            yield f"{intent} was decided at {count} events and the sum {total}, which {whose} never had"
        if count < least or answer.version not in (None, count):
            yield f"{intent} was decided at version {count}, answered as {answer}, and {least} was known before"


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
    for answer in (*history.answers, *history.repeats):
        answers[answer.client, answer.message_id].add(answer.version)
    for key, versions in answers.items():
        if len(versions) > 1:
            yield f"{key} was answered with the versions {versions}"
    for answer in history.repeats:
        if answer.is_first:
            yield f"{answer} was told as new when it was sent again"
    for key, rows in history.by_message().items():
        intent = intents.get(key)
        if intent is None:
            if key not in effects or rows[0].type != TAKEN:
                yield f"nobody asked for {rows[0]}"
        elif rows[0].entity != intent.entity or rows[0].data["amount"] != intent.message["amount"]:
            yield f"{intent} was asked for, and {rows[0]} came of it"


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
    """An event says which network's client asked for it, so does what an effect left; a follower sees its own alone.

    Networks use the same ids of messages: where none is the same, a mix-up could not show.
    """
    for trace in history.traces:
        if trace.asked_in != trace.network:
            yield f"{trace} is of another network"
    ids: dict[str, set[str]] = defaultdict(set)
    for intent in history.intents:
        ids[intent.network].add(intent.message_id)
    if len(ids) > 1 and not any(one & other for one, other in combinations(ids.values(), 2)):
        yield "no networks have a message id in common"
    for row in history.rows:
        if row.data["network"] != row.network:
            yield f"{row} is of another network"
    where = {row.position: row.network for row in history.rows}
    for seen in history.seen:
        if where.get(seen.position) != seen.network:
            yield f"{seen} is of another network"


def _by_answer(history: History) -> dict[tuple[str, str], Intent]:
    """Return what each client asked for by message id: another network's client may use the same one."""
    return {(each.client, each.message_id): each for each in history.intents}


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
    no_refusal_is_stale,
    a_send_is_whole,
    an_id_has_one_outcome,
    no_effect_is_without_its_commit,
    an_effect_has_one_id,
    every_effect_is_done,
    messages_are_delivered_exactly_once,
    networks_are_apart,
    followers_miss_nothing,
)

OF_SENDS: tuple[Callable[[History], Iterator[str]], ...] = (
    nothing_acknowledged_is_missing,
    versions_have_no_gap,
    no_decision_is_stale,
    a_send_is_whole,
)
"""Those of the sends alone, where nobody follows and no effect runs."""
