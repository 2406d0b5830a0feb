"""A ticket of a help desk: twenty kinds of message and twenty of event, over a state with nested models."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from pachyderm_cli import (
    CancelTimer,
    Context,
    Effect,
    Event,
    Message,
    Question,
    Reference,
    Rejected,
    Send,
    Timer,
    invariant,
)

STALE = timedelta(days=14)

Agent = Literal["ines", "jack", "kofi"]
Tag = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,9}$")]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
Minutes = Annotated[int, Field(ge=1, le=480)]
Number = Annotated[int, Field(ge=1, le=5)]


class Priority(StrEnum):
    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


class Open(Message):
    subject: Text
    priority: Priority = Priority.NORMAL


class ChangeSubject(Message):
    subject: Text


class SetPriority(Message):
    priority: Priority


class Assign(Message):
    agent: Agent


class Unassign(Message):
    pass


class Comment(Message):
    author: Agent
    text: Text
    internal: bool = False


class EditComment(Message):
    number: Number
    text: Text


class DeleteComment(Message):
    number: Number


class AddTags(Message):
    tags: Annotated[frozenset[Tag], Field(min_length=1, max_length=5)]


class RemoveTag(Message):
    tag: Tag


class Watch(Message):
    agent: Agent


class Unwatch(Message):
    agent: Agent


class Link(Message):
    ticket: UUID


class Unlink(Message):
    ticket: UUID


class LogTime(Message):
    agent: Agent
    minutes: Minutes


class SetEstimate(Message):
    minutes: Minutes | None = None


class Block(Message):
    reason: Text | None = None


class Unblock(Message):
    pass


class Resolve(Message):
    as_: Literal["fixed", "duplicate", "invalid"] = Field(default="fixed", alias="as")


class Reopen(Message):
    pass


class Opened(Event):
    subject: str
    priority: Priority
    at: AwareDatetime


class SubjectChanged(Event):
    subject: str


class PrioritySet(Event):
    priority: Priority


class Assigned(Event):
    agent: str


class Unassigned(Event):
    pass


class Commented(Event):
    number: int
    author: str
    text: str
    internal: bool
    at: AwareDatetime


class CommentEdited(Event):
    number: int
    text: str


class CommentDeleted(Event):
    number: int


class Tagged(Event):
    tags: tuple[str, ...]


class Untagged(Event):
    tag: str


class Watched(Event):
    agent: str


class Unwatched(Event):
    agent: str


class Linked(Event):
    ticket: UUID


class Unlinked(Event):
    ticket: UUID


class TimeLogged(Event):
    agent: str
    minutes: int


class EstimateSet(Event):
    minutes: int | None


class Blocked(Event):
    reason: str | None


class Unblocked(Event):
    pass


class Resolved(Event):
    resolution: str
    at: AwareDatetime


class Reopened(Event):
    pass


class Notify(Effect):
    delivery = "at_least_once"
    max_attempts = 3

    agents: tuple[str, ...]
    what: str

    def dispatch(self, config: Mapping[str, Any]) -> None:
        """Write to the agents."""


class HowLong(Question):
    agent: Agent | None = None


class Remark(BaseModel):
    model_config = ConfigDict(frozen=True)

    number: int
    author: str
    text: str
    internal: bool
    at: datetime
    edited: bool = False


class Ticket(BaseModel):
    model_config = ConfigDict(frozen=True)

    status: Literal["new", "open", "blocked", "resolved"] = "new"
    subject: str = ""
    priority: Priority = Priority.NORMAL
    agent: str | None = None
    remarks: tuple[Remark, ...] = ()
    last_remark: int = 0
    tags: tuple[str, ...] = ()
    watchers: frozenset[str] = frozenset()
    links: tuple[UUID, ...] = ()
    minutes: dict[str, int] = {}
    estimate: int | None = None
    blocked_because: str | None = None
    resolution: str | None = None
    opened_at: datetime | None = None
    resolved_at: datetime | None = None
    reopened: int = 0


TicketMessage = (
    Open
    | ChangeSubject
    | SetPriority
    | Assign
    | Unassign
    | Comment
    | EditComment
    | DeleteComment
    | AddTags
    | RemoveTag
    | Watch
    | Unwatch
    | Link
    | Unlink
    | LogTime
    | SetEstimate
    | Block
    | Unblock
    | Resolve
    | Reopen
)
PeopleEvent = Assigned | Unassigned | Watched | Unwatched | TimeLogged
RemarkEvent = Commented | CommentEdited | CommentDeleted
ListEvent = Tagged | Untagged | Linked | Unlinked
StatusEvent = Opened | Blocked | Unblocked | Resolved | Reopened
TicketEvent = PeopleEvent | RemarkEvent | ListEvent | StatusEvent | SubjectChanged | PrioritySet | EstimateSet


def init() -> Ticket:
    """Return the ticket before it is opened."""
    return Ticket()


def invariant_of_tags(state: Ticket) -> bool:
    """Whether the tags are in order, each once."""
    return list(state.tags) == sorted(set(state.tags))


@invariant
def lists_are_in_order(state: Ticket) -> bool:
    """Whether tags and remarks are in order, and nothing is linked twice."""
    numbers = [remark.number for remark in state.remarks]
    return invariant_of_tags(state) and numbers == sorted(set(numbers)) and len(set(state.links)) == len(state.links)


@invariant
def resolved_has_a_resolution(state: Ticket) -> bool:
    """Whether a resolution is there exactly in a resolved ticket."""
    return (state.status == "resolved") == (state.resolution is not None) == (state.resolved_at is not None)


@invariant
def time_is_positive(state: Ticket) -> bool:
    """Whether all time that was logged is some."""
    return all(minutes > 0 for minutes in state.minutes.values())


def handle(
    message: TicketMessage, state: Ticket, context: Context
) -> Iterator[TicketEvent | Notify | Send | Timer | CancelTimer]:
    """Decide on one message. Rejected: what needs another status, or something that is not there."""
    if isinstance(message, Open) != (state.status == "new"):
        raise Rejected(f"the ticket is {state.status}")
    if state.status == "resolved" and not isinstance(message, Reopen | Comment | Watch | Unwatch):
        raise Rejected("the ticket is resolved")
    yield from _decide(message, state, context)


def _decide(  # noqa: C901, PLR0912, PLR0915 - one match with a case for every message
    message: TicketMessage, state: Ticket, context: Context
) -> Iterator[TicketEvent | Notify | Send | Timer | CancelTimer]:
    match message:
        case Open(subject=subject, priority=priority):
            yield Opened(subject=subject, priority=priority, at=context.now)
            yield Timer("stale", after=STALE, message=SetPriority(priority=Priority.HIGH))
        case ChangeSubject(subject=subject) if subject != state.subject:
            yield SubjectChanged(subject=subject)
        case SetPriority(priority=priority) if priority is not state.priority:
            yield PrioritySet(priority=priority)
            if priority is Priority.HIGH and state.watchers:
                yield Notify(agents=tuple(sorted(state.watchers)), what="it is urgent")
        case Assign(agent=agent) if agent != state.agent:
            yield Assigned(agent=agent)
            if agent not in state.watchers:
                yield Watched(agent=agent)
        case Unassign() if state.agent is not None:
            yield Unassigned()
        case Comment(author=author, text=text, internal=internal):
            number = state.last_remark + 1
            yield Commented(number=number, author=author, text=text, internal=internal, at=context.now)
            others = sorted(state.watchers - {author})
            if others:
                yield Notify(agents=tuple(others), what=f"{author} wrote remark {number}")
        case EditComment(number=number, text=text) if _has_remark(number, state):
            yield CommentEdited(number=number, text=text)
        case DeleteComment(number=number) if _has_remark(number, state):
            yield CommentDeleted(number=number)
        case AddTags(tags=tags) if tags - set(state.tags):
            yield Tagged(tags=tuple(sorted(tags - set(state.tags))))
        case RemoveTag(tag=tag) if tag in state.tags:
            yield Untagged(tag=tag)
        case Watch(agent=agent) if agent not in state.watchers:
            yield Watched(agent=agent)
        case Unwatch(agent=agent) if agent in state.watchers:
            yield Unwatched(agent=agent)
        case Link(ticket=ticket) if ticket != context.reference.id and ticket not in state.links:
            yield Linked(ticket=ticket)
            yield Send(to=Reference(context.reference.type, ticket), message=Link(ticket=context.reference.id))
        case Unlink(ticket=ticket) if ticket in state.links:
            yield Unlinked(ticket=ticket)
            yield Send(to=Reference(context.reference.type, ticket), message=Unlink(ticket=context.reference.id))
        case LogTime(agent=agent, minutes=minutes):
            yield TimeLogged(agent=agent, minutes=minutes)
        case SetEstimate(minutes=minutes) if minutes != state.estimate:
            yield EstimateSet(minutes=minutes)
        case Block(reason=reason) if state.status == "open":
            yield Blocked(reason=reason)
        case Unblock() if state.status == "blocked":
            yield Unblocked()
        case Resolve(as_=resolution) if state.status == "open":
            yield Resolved(resolution=resolution, at=context.now)
            yield CancelTimer("stale")
        case Reopen() if state.status == "resolved":
            yield Reopened()
            yield Timer("stale", after=STALE, message=SetPriority(priority=Priority.HIGH))
        case Resolve() | Reopen() | Block() | Unblock():
            raise Rejected(f"the ticket is {state.status}")
        case EditComment(number=number) | DeleteComment(number=number):
            raise Rejected(f"there is no remark {number}")
        case _:
            return


def _has_remark(number: int, state: Ticket) -> bool:
    return any(remark.number == number for remark in state.remarks)


def update(event: TicketEvent, state: Ticket) -> Ticket:  # noqa: C901, PLR0912 - one match as well
    """Return the ticket after `event`."""
    match event:
        case Assigned() | Unassigned() | Watched() | Unwatched() | TimeLogged():
            return _after_people(event, state)
        case Commented() | CommentEdited() | CommentDeleted():
            return _after_remark(event, state)
        case Tagged(tags=tags):
            return _with(state, tags=tuple(sorted({*state.tags, *tags})))
        case Untagged(tag=gone):
            return _with(state, tags=tuple(tag for tag in state.tags if tag != gone))
        case Linked(ticket=ticket):
            return _with(state, links=(*state.links, ticket))
        case Unlinked(ticket=gone):
            return _with(state, links=tuple(ticket for ticket in state.links if ticket != gone))
        case SubjectChanged(subject=subject):
            return _with(state, subject=subject)
        case PrioritySet(priority=priority):
            return _with(state, priority=priority)
        case EstimateSet(minutes=minutes):
            return _with(state, estimate=minutes)
        case Opened(subject=subject, priority=priority, at=at):
            return Ticket(status="open", subject=subject, priority=priority, opened_at=at)
        case Blocked(reason=reason):
            return _with(state, status="blocked", blocked_because=reason)
        case Unblocked():
            return _with(state, status="open", blocked_because=None)
        case Resolved(resolution=resolution, at=at):
            return _with(state, status="resolved", resolution=resolution, resolved_at=at)
        case Reopened():
            return _with(state, status="open", resolution=None, resolved_at=None, reopened=state.reopened + 1)


def _after_people(event: PeopleEvent, state: Ticket) -> Ticket:
    match event:
        case Assigned(agent=agent):
            return _with(state, agent=agent)
        case Unassigned():
            return _with(state, agent=None)
        case Watched(agent=agent):
            return _with(state, watchers=state.watchers | {agent})
        case Unwatched(agent=agent):
            return _with(state, watchers=state.watchers - {agent})
        case TimeLogged(agent=agent, minutes=minutes):
            logged = state.minutes.copy()
            logged.setdefault(agent, 0)
            logged[agent] += minutes
            return _with(state, minutes=logged)


def _after_remark(event: RemarkEvent, state: Ticket) -> Ticket:
    match event:
        case Commented(number=number):
            remark = Remark(**event.model_dump())
            return _with(state, remarks=(*state.remarks, remark), last_remark=number)
        case CommentEdited(number=number, text=text):
            changed = {"text": text, "edited": True}
            remarks = (each.model_copy(update=changed) if each.number == number else each for each in state.remarks)
            return _with(state, remarks=tuple(remarks))
        case CommentDeleted(number=number):
            return _with(state, remarks=tuple(each for each in state.remarks if each.number != number))


def _with(state: Ticket, **changes: object) -> Ticket:
    return state.model_copy(update=changes)


def query(question: HowLong, state: Ticket) -> int:
    """Return the minutes that an agent has logged, or all of them."""
    return sum(minutes for agent, minutes in state.minutes.items() if question.agent in (None, agent))
