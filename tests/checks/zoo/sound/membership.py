"""A club's member: events with former names and older versions, which are read as they are now."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from pachyderm_cli import Event, Message, Rejected

Name = Annotated[str, Field(min_length=1, max_length=30, pattern=r"^\S(.*\S)?$")]
Points = Annotated[int, Field(ge=1, le=500)]


class Join(Message):
    first: Name
    last: Name
    referred_by: Name | None = None


class Earn(Message):
    points: Points


class Spend(Message):
    points: Points


class Joined(Event):
    aliases = ("SignedUp", "Enrolled")
    version = 3

    first: str
    last: str
    referred_by: str | None = None

    @classmethod
    def upcast(cls, data: dict[str, Any], version: int) -> dict[str, Any]:
        """Return the data as it is now: version 1 had one `name`, version 2 its two parts."""
        if version == 1:
            first, _, last = data["name"].partition(" ")
            return {"first": first, "last": last}
        return {"first": data["given"], "last": data["family"]}


class PointsChanged(Event):
    aliases = ("Earned",)
    version = 2

    by: int
    reason: str = "earned"

    @staticmethod
    def upcast(data: dict[str, Any], version: int) -> dict[str, Any]:  # noqa: ARG004 - there is but one older
        """Return the data as it is now: version 1 called them points."""
        return {"by": data["points"]}


class Member(BaseModel):
    model_config = ConfigDict(frozen=True)

    name: str | None = None
    points: int = 0
    history: tuple[tuple[str, int], ...] = ()


def init() -> Member:
    """Return nobody yet."""
    return Member()


def invariant(state: Member) -> bool:
    """Whether the points are the sum of what is in the history."""
    return state.points == sum(by for _, by in state.history) >= 0


def handle(message: Join | Earn | Spend, state: Member) -> tuple[Joined | PointsChanged, ...]:
    """Join once, then earn points and spend them."""
    if isinstance(message, Join):
        if state.name is not None:
            raise Rejected(f"{state.name} is a member")
        joined = Joined(**dict(message))
        return (joined,) if message.referred_by is None else (joined, PointsChanged(by=50, reason="referred"))
    if state.name is None:
        raise Rejected("nobody has joined")
    if isinstance(message, Earn):
        return (PointsChanged(by=message.points),)
    if message.points > state.points:
        raise Rejected(f"only {state.points} are there")
    return (PointsChanged(by=-message.points, reason="spent"),)


def update(event: Joined | PointsChanged, state: Member) -> Member:
    """Return the member after `event`."""
    if isinstance(event, Joined):
        return state.model_copy(update={"name": f"{event.first} {event.last}".strip()})
    history = (*state.history, (event.reason, event.by))
    return state.model_copy(update={"points": state.points + event.by, "history": history})
