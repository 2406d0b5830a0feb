"""An article of a blog: its tags, each once."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from pachyderm_cli import Event, Message

Tag = Literal["python", "databases", "events", "testing", "travel", "food"]


class AddTags(Message):
    tags: Annotated[list[Tag], Field(min_length=1, max_length=4)]


class RemoveTag(Message):
    tag: Tag


class TagsAdded(Event):
    tags: list[str]


class TagRemoved(Event):
    tag: str


class Article(BaseModel):
    model_config = ConfigDict(frozen=True)

    tags: list[str] = []


def init() -> Article:
    """Return the article without tags."""
    return Article()


def handle(message: AddTags | RemoveTag, state: Article) -> list[TagsAdded | TagRemoved]:
    """Add what is new, remove what is there."""
    match message:
        case AddTags(tags=tags):
            return [TagsAdded(tags=[*tags])]
        case RemoveTag(tag=tag):
            return [TagRemoved(tag=tag)] if tag in state.tags else []


def update(event: TagsAdded | TagRemoved, state: Article) -> Article:
    """Return the article after `event`."""
    match event:
        case TagsAdded(tags=tags):
            # FAULT: a set of strings has another order in every process.
            return Article(tags=list(set(state.tags) | set(tags)))
        case TagRemoved(tag=gone):
            return Article(tags=[tag for tag in state.tags if tag != gone])
