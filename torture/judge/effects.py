"""The laws of effects: none without its commit, each by one id, everything that was asked for done."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from torture.judge.history import History, Queued, Trace

KINDS = {"Ring": "ring", "Send": "give_to"}
"""What is in the outbox, by what a message asks it with."""

Send = tuple[str, str]
"""A network, and a message's id in it."""


def no_effect_is_without_its_commit(history: History) -> Iterator[str]:
    """What ran, and what is in the outbox, belongs to the last event of the message that asked for it."""
    intents = {(each.network, each.message_id): each for each in history.intents}
    messages = history.by_message()
    ran: list[tuple[Trace | Queued, str | None]] = [(trace, trace.kind) for trace in history.traces]
    queued: list[tuple[Trace | Queued, str | None]] = [(each, KINDS.get(each.type)) for each in history.outbox]
    for effect, asked_by in ran + queued:
        rows = messages.get((effect.network, effect.message_id))
        intent = intents.get((effect.network, effect.message_id))
        if not rows:
            yield f"{effect} is of a message without an event"
        elif (rows[-1].entity, rows[-1].version) != (effect.entity, effect.version):
            yield f"{effect} is of {rows[-1]}, at another version or entity"
        elif intent is None or asked_by is None or not intent.message.get(asked_by):
            yield f"{effect} is of {rows[-1]}, which asked for none"


def an_effect_has_one_id(history: History) -> Iterator[str]:
    """An effect of a message has one id however often it runs, no other effect has it, and the outbox knows it so."""
    effects: dict[tuple[Send, str], set[str]] = defaultdict(set)
    owners: dict[Send, set[tuple[Send, str]]] = defaultdict(set)
    known = [((each.network, each.message_id), KINDS.get(each.type, each.type), each.id) for each in history.outbox]
    known += [((each.network, each.message_id), each.kind, each.effect_id) for each in history.traces]
    for send, kind, effect_id in known:
        effects[send, kind].add(effect_id)
        owners[send[0], effect_id].add((send, kind))
    for (send, kind), ids in effects.items():
        if len(ids) > 1:
            yield f"the {kind} of {send} has the ids {sorted(ids)}"
    for key, whose in owners.items():
        if len(whose) > 1:
            yield f"the effects {sorted(whose)} have the one id {key}"


def every_effect_is_done(history: History) -> Iterator[str]:
    """Once all is drained: what is to run at least once did, what is to run at most once not twice; none is pending.

    Who was told that its message was new has seen to what is to run at most once before it was told.
    """
    for effect in history.outbox:
        if effect.status not in ("done", "rejected"):
            yield f"{effect} is not done"
    ran = Counter((trace.network, trace.message_id, trace.kind) for trace in history.traces)
    for (network, message_id, kind), count in ran.items():
        if kind == "whisper" and count > 1:
            yield f"the whisper of {message_id} in {network} ran {count} times"
    yield from _left_out(history, ran)


def _left_out(history: History, ran: Counter[tuple[str, str, str]]) -> Iterator[str]:
    """Yield what a message asked for that is in the log, and did not get; `ran` by network, message and kind."""
    queued = {(each.network, each.message_id, KINDS.get(each.type)) for each in history.outbox}
    first = {(answer.client, answer.message_id) for answer in history.answers if answer.is_first}
    messages = history.by_message()
    for intent in history.intents:
        send = (intent.network, intent.message_id)
        if send not in messages:
            continue
        for kind in KINDS.values():
            if intent.message.get(kind) and (*send, kind) not in queued:
                yield f"{intent} is in the log, and its {kind} is not in the outbox"
        if intent.message.get("ring") and not ran[*send, "ring"]:
            yield f"{intent} is in the log, and its ring never ran"
        is_told = (intent.client, intent.message_id) in first
        if intent.message.get("whisper") and is_told and not ran[*send, "whisper"]:
            yield f"{intent} was answered, and its whisper never ran"
