"""Effects, messages between entities and timers as lines for people."""

from __future__ import annotations

from collections.abc import Iterator

from pachyderm_cli.cli.output import Line, Piece
from pachyderm_cli.cli.pieces import entity, labelled, versioned
from pachyderm_cli.domain.reference import Reference
from pachyderm_cli.domain.timestamps import to_text
from pachyderm_cli.engine.results import CausedMessage, EffectResult, QueuedEffect, Worked
from pachyderm_cli.store.records import EffectStatus, StoredEffect

_STATUS_STYLE = {EffectStatus.DONE: "green", EffectStatus.FAILED: "bold red", EffectStatus.PARKED: "bold red"}
_LONG = 1.0
"""From so many seconds on it is told how long an attempt took."""


def effect(result: EffectResult) -> Iterator[Line]:
    """Show what became of an effect of a send."""
    yield labelled("effect", (result.type, "bold"), *_to(result.to), (" ", ""), *_status(result.status, result.error))


def left(count: int) -> str:
    """Return what is to be said of so many deliveries that a send left."""
    told = "1 delivery was" if count == 1 else f"{count} deliveries were"
    return f"{told} left, since there were too many; pachyderm worker makes them"


def worked(result: Worked) -> Iterator[Line]:
    """Show an attempt on one line."""
    attempt = f" (attempt {result.attempt})" if result.attempt > 1 else ""
    took = f" in {result.seconds:.1f} s" if result.seconds is not None and result.seconds >= _LONG else ""
    effect_result = result.result
    yield (
        (f"{effect_result.id}  ", "dim"),
        *entity(result.entity),
        (f" version {result.version}  ", ""),
        (effect_result.type, "bold"),
        *_to(effect_result.to),
        (" ", ""),
        *_status(effect_result.status, effect_result.error, f"{attempt}{took}"),
    )


def queued(result: QueuedEffect) -> Iterator[Line]:
    """Show an effect in the outbox on one line."""
    stored = result.stored
    attempts = f", tried {_times(stored.attempts)}" if stored.attempts else ""
    next_time = f", next {to_text(stored.next_attempt_at)}" if stored.next_attempt_at is not None else ""
    yield (
        (f"{stored.id}  ", "dim"),
        (f"{stored.status:<9}  ", _STATUS_STYLE.get(stored.status, "yellow")),
        *_what(stored),
        (" from ", ""),
        *entity(stored.entity),
        (f" version {stored.version}{attempts}{next_time}", ""),
        (f": {stored.error}" if stored.error else "", ""),
        (_no_code(result), "bold red"),
    )


def whole(result: QueuedEffect) -> Iterator[Line]:
    """Show all that is known of an effect in the outbox."""
    stored = result.stored
    yield ((str(stored.id), "bold"), (" ", ""), *_status(stored.status))
    yield labelled("effect", *_what(stored))
    yield labelled("data", (stored.data, "green"))
    if stored.on_rejected is not None:
        yield labelled("rejected", (stored.on_rejected, ""))
    yield labelled("from", *entity(stored.entity), (f" at version {stored.version}", ""))
    yield labelled("message", (str(stored.message_id), ""))
    yield labelled("attempts", (str(stored.attempts), ""))
    times = {"created": stored.created_at, "due": stored.due_at, "next": stored.next_attempt_at}
    for name, moment in {**times, "ended": stored.ended_at}.items():
        if moment is not None:
            yield labelled(name, (to_text(moment), ""))
    if stored.error:
        yield labelled("error", (stored.error, ""))
    if result.unreadable is not None:
        yield labelled("no code", (result.unreadable, "bold red"))


def timer(stored: StoredEffect) -> Iterator[Line]:
    """Show a timer, or a message with a time, on one line."""
    yield (
        (f"{stored.id}  ", "dim"),
        (f"{to_text(stored.due_at)}  ", ""),
        *entity(stored.entity),
        ("  ", ""),
        *_what(stored),
        *_unless_waiting(stored),
    )


def open_effect(stored: StoredEffect) -> Iterator[Line]:
    """Show an effect of an entity that is not ended."""
    attempts = f", tried {_times(stored.attempts)}" if stored.attempts else ""
    next_time = f", next {to_text(stored.next_attempt_at)}" if stored.next_attempt_at is not None else ""
    yield labelled("effect", *_what(stored), (" ", ""), *_status(stored.status, stored.error, f"{attempts}{next_time}"))


def own_timer(stored: StoredEffect) -> Iterator[Line]:
    """Show a timer of an entity that is not ended."""
    yield labelled("timer", (f"{to_text(stored.due_at)}  ", ""), *_what(stored), *_unless_waiting(stored))


def caused(result: CausedMessage) -> Iterator[Line]:
    """Show a message of a tree of causes, indented by its depth, with its events and its effects."""
    indent: Piece = ("    " * result.depth, "")
    arrow: Piece = ("-> " if result.depth else "", "dim")
    status = () if result.status is None else (("  ", ""), *_status(result.status, result.error))
    if result.copied_from is not None:
        origin = result.copied_from
        named: Line = (("copied from ", ""), *entity(origin.entity), (f" at version {origin.version}", ""))
    elif result.message is None or result.entity is None:
        named = (("a message that is not in this network", "yellow"),)
    else:
        named = ((result.message, "bold"), *_to(result.entity))
    yield (indent, arrow, *named, *status, (f"  {result.message_id}", "dim"))
    for event in result.events:
        yield (indent, *versioned(event.version), (event.type, "bold"), (f" {event.data}", ""))
    for stored in result.effects:
        yield (indent, *labelled("effect", *_what(stored), (" ", ""), *_status(stored.status, stored.error)))


def _what(stored: StoredEffect) -> tuple[Piece, ...]:
    """Return the effect's type; of what sends a message the message and its receiver, of a timer its name."""
    if stored.to is None:
        return ((stored.type, "bold"),)
    if stored.timer:
        return ((f"{stored.type} {stored.timer}", "bold"), (f": {stored.message}", ""))
    return ((f"{stored.type} ", "bold"), (str(stored.message), ""), *_to(stored.to, stored.to_network))


def _to(receiver: Reference | None, network: str | None = None) -> tuple[Piece, ...]:
    there = () if network is None else ((f" in the network {network}", ""),)
    return () if receiver is None else ((" to ", ""), *entity(receiver), *there)


def _status(status: EffectStatus, error: str | None = None, more: str = "") -> tuple[Piece, ...]:
    told = f": {error}" if error else ""
    return ((str(status), _STATUS_STYLE.get(status, "yellow")), (f"{more}{told}", ""))


def _unless_waiting(stored: StoredEffect) -> tuple[Piece, ...]:
    """Return the status of a timer, if it is any other than that of one whose time has not come."""
    if stored.status is EffectStatus.PENDING and not stored.error:
        return ()
    return (("  ", ""), *_status(stored.status, stored.error))


def _no_code(result: QueuedEffect) -> str:
    if result.unreadable is None or result.unreadable in (result.stored.error or ""):
        return ""
    return f"; no code here can carry it out: {result.unreadable}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
