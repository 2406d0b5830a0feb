"""Asking `handle`, and asking it again: the same decision, and nothing changed that it was given."""

from __future__ import annotations

from types import GeneratorType
from typing import Any

from pachyderm_cli.checks.findings import Property
from pachyderm_cli.checks.judging import Judge
from pachyderm_cli.domain.context import Context
from pachyderm_cli.domain.entity import Decision
from pachyderm_cli.domain.faults import line_of
from pachyderm_cli.domain.message import Effect, Message, Send, Timer
from pachyderm_cli.errors import EntityFailed, Rejected

Answer = Decision | str
"""A decision, or the reason of a rejection."""


def decide(judge: Judge, message: Message, state: Any, context: Context) -> Answer:
    """Return what the entity answers. Raises Broken."""
    line = line_of(judge.entity_type.handle)
    name = f"handle({type(message).__name__})"
    judge.faithful(message, f"the message {type(message).__name__}", line, state)
    state_copy, message_copy = judge.copy(state), judge.copy(message)
    answer = _answer(judge, message, state, context)
    for what, value, copy in (("state", state, state_copy), ("message", message, message_copy)):
        judge.same(Property.PURE_HANDLE, copy, value, f"{name} changed the {what} that it was given", line)
    again = _answer(judge, judge.copy(message_copy), judge.copy(state_copy), _fresh(context))
    problem = f"{name} decides otherwise when it is asked again, with the same context"
    judge.same(Property.PURE_HANDLE, _comparable(answer), _comparable(again), problem, line, state=state_copy)
    if isinstance(answer, str):
        _require_nothing_lost(judge, judge.copy(message_copy), judge.copy(state_copy), _fresh(context))
        return answer
    for effect in answer.effects:
        for part in _own_parts(effect):
            kind = "message" if isinstance(part, Message) else "effect"
            judge.faithful(part, f"the {kind} {type(part).__name__}", line, state)
    return answer


def _own_parts(effect: Effect) -> list[Message | Effect]:
    """Return what of an effect is the project's own, and stored."""
    if isinstance(effect, Send):
        return [effect.message, *([] if effect.on_rejected is None else [effect.on_rejected])]
    if isinstance(effect, Timer):
        return [effect.message]
    return [effect]


def _answer(judge: Judge, message: Message, state: Any, context: Context) -> Answer:
    try:
        return judge.entity_type.decide(message, state, context)
    except Rejected as rejected:
        return rejected.reason
    except EntityFailed as error:
        broken = Property.ATOMIC if "without any event" in error.message else Property.TOTAL
        raise judge.failure(error, broken, state) from error


def _require_nothing_lost(judge: Judge, message: Message, state: Any, context: Context) -> None:
    """Find what `handle` yields before it rejects."""
    entity_type = judge.entity_type
    lost: list[str] = []
    try:
        answer = entity_type.handle(*(message, state, context)[: 3 if entity_type.takes_context else 2])
        if isinstance(answer, GeneratorType):
            lost.extend(type(each).__name__ for each in answer)
    except Rejected as rejected:
        if lost and Property.ATOMIC not in judge.settled:
            name = f"handle({type(message).__name__})"
            problem = f"{name} emits {', '.join(lost)} and then rejects ({rejected.reason}): what it emitted is lost"
            judge.fail(Property.ATOMIC, problem, line_of(entity_type.handle), before=judge.shown(state))


def _fresh(context: Context) -> Context:
    """Return the same context, its random generator at the beginning."""
    return Context(context.now, context.message_id, context.reference, context.version)


def _comparable(answer: Answer) -> list[Any]:
    """Return what of an answer is stored: a rejection's reason, which may name the members of a set, is not."""
    return ["rejected"] if isinstance(answer, str) else [list(answer.events), list(answer.effects)]
