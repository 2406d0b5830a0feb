"""A newsletter's reader: the address, and the token by which it was confirmed."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from pachyderm_cli import Event, Message, Rejected

Address = Literal["a@example.org", "b@example.org"]
Token = Annotated[int, Field(ge=1, le=9)]


class Subscribe(Message):
    address: Address
    token: Token


class Confirm(Message):
    token: Token


class Subscribed(Event):
    address: str
    token: Token


class Confirmed(Event):
    pass


class Reader(BaseModel):
    model_config = ConfigDict(frozen=True)

    address: str | None = None
    # FAULT: to keep the token out of the output is to keep it out of the snapshot, which comes back with None.
    token: int | None = Field(default=None, exclude=True)
    confirmed: bool = False


def init() -> Reader:
    """Return the reader who has not subscribed."""
    return Reader()


def handle(message: Subscribe | Confirm, state: Reader) -> Iterator[Subscribed | Confirmed]:
    """Subscribe, and confirm with the token."""
    match message:
        case Subscribe(address=address, token=token):
            yield Subscribed(address=address, token=token)
        case Confirm(token=token):
            if state.token is None or token != state.token:
                raise Rejected("the token is wrong")
            if not state.confirmed:
                yield Confirmed()


def update(event: Subscribed | Confirmed, state: Reader) -> Reader:
    """Return the reader after `event`."""
    match event:
        case Subscribed(address=address, token=token):
            return Reader(address=address, token=token)
        case Confirmed():
            return state.model_copy(update={"confirmed": True})
