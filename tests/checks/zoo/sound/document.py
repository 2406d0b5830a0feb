"""A document under review: the state is a discriminated union, of models that have different fields."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from pachyderm_cli import Event, Message, Rejected

Person = Literal["ann", "bob", "eve"]
Paragraph = Annotated[str, Field(max_length=50)]


class Write(Message):
    paragraph: Paragraph


class Submit(Message):
    reviewers: Annotated[frozenset[Person], Field(min_length=1)]


class Approve(Message):
    reviewer: Person


class Refuse(Message):
    reviewer: Person
    because: str = ""


class Written(Event):
    paragraph: str


class Submitted(Event):
    reviewers: tuple[str, ...]


class ApprovedBy(Event):
    reviewer: str


class Published(Event):
    pass


class Refused(Event):
    reviewer: str
    because: str


class Draft(BaseModel):
    model_config = ConfigDict(frozen=True)

    kind: Literal["draft"] = "draft"
    paragraphs: tuple[str, ...] = ()
    refusals: int = 0


class InReview(BaseModel):
    model_config = ConfigDict(frozen=True)

    kind: Literal["in review"] = "in review"
    draft: Draft
    missing: tuple[str, ...]


class Final(BaseModel):
    model_config = ConfigDict(frozen=True)

    kind: Literal["final"] = "final"
    text: str


Document = Annotated[Draft | InReview | Final, Field(discriminator="kind")]
DocumentMessage = Write | Submit | Approve | Refuse
DocumentEvent = Written | Submitted | ApprovedBy | Published | Refused


def init() -> Document:
    """Return the empty draft."""
    return Draft()


def handle(message: DocumentMessage, state: Document) -> Iterator[DocumentEvent]:
    """Write a draft, submit it, and publish it once all reviewers approve."""
    match message, state:
        case Write(paragraph=paragraph), Draft():
            yield Written(paragraph=paragraph)
        case Submit(reviewers=reviewers), Draft(paragraphs=(_, *_)):
            yield Submitted(reviewers=tuple(sorted(reviewers)))
        case Approve(reviewer=reviewer), InReview(missing=missing) if reviewer in missing:
            yield ApprovedBy(reviewer=reviewer)
            if missing == (reviewer,):
                yield Published()
        case Refuse(reviewer=reviewer, because=because), InReview(missing=missing) if reviewer in missing:
            yield Refused(reviewer=reviewer, because=because)
        case _:
            raise Rejected(f"a document that is {state.kind} takes no such {type(message).__name__}")


def update(event: DocumentEvent, state: Document) -> Document:
    """Return the document after `event`."""
    match event, state:
        case Written(paragraph=paragraph), Draft():
            return state.model_copy(update={"paragraphs": (*state.paragraphs, paragraph)})
        case Submitted(reviewers=reviewers), Draft():
            return InReview(draft=state, missing=reviewers)
        case ApprovedBy(reviewer=reviewer), InReview():
            return state.model_copy(update={"missing": tuple(each for each in state.missing if each != reviewer)})
        case Published(), InReview(draft=draft):
            return Final(text="\n".join(draft.paragraphs))
        case Refused(), InReview(draft=draft):
            return draft.model_copy(update={"refusals": draft.refusals + 1})
        case _:
            raise AssertionError(f"handle lets no {type(event).__name__} happen to a {state.kind} document")
