"""A shipment: its events are unions of unions, with a base class that a case for all of its kind takes, last."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from pachyderm_cli import Effect, Event, Message, Rejected

Place = Literal["depot", "port", "airport", "customs"]
Kilos = Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)]


class Pack(Message):
    kilos: Kilos


class Move(Message):
    to: Place
    by: Literal["truck", "ship", "plane"] = "truck"


class Hold(Message):
    reason: str | None = None


class Deliver(Message):
    signed_by: Annotated[str, Field(min_length=1)] | None = None


class Tracked(Event):
    """Whatever says where the shipment is."""

    place: Place


class Moved(Tracked):
    by: str


class HeldUp(Tracked):
    reason: str | None


class Arrived(Tracked):
    pass


class Packed(Event):
    kilos: Kilos


class Delivered(Event):
    signed_by: str | None


class NotifyReceiver(Effect):
    place: Place

    def dispatch(self, config: Mapping[str, Any]) -> None:
        """Tell the receiver."""


OnTheWay = Moved | HeldUp | Arrived
AtTheEnds = Packed | Delivered


class Shipment(BaseModel):
    model_config = ConfigDict(frozen=True)

    kilos: float | None = None
    place: Place = "depot"
    holds: tuple[str, ...] = ()
    delivered: bool = False
    heaviest: float = 0.0


def init() -> Shipment:
    """Return the shipment before it is packed."""
    return Shipment()


def invariant(state: Shipment) -> bool:
    """Whether what is delivered was packed, and the heaviest weight is no less than the weight."""
    return not state.delivered if state.kilos is None else state.kilos <= state.heaviest


def handle(message: Pack | Move | Hold | Deliver, state: Shipment) -> Iterator[OnTheWay | AtTheEnds | NotifyReceiver]:
    """Pack it in the depot, move it, deliver it."""
    if state.delivered:
        raise Rejected("it was delivered")
    match message:
        case Pack(kilos=kilos):
            if state.place != "depot":
                raise Rejected("it is on its way")
            yield Packed(kilos=kilos)
        case _ if state.kilos is None:
            raise Rejected("there is nothing to send")
        case Move(to=to, by=by) if to != state.place:
            yield Moved(place=to, by=by)
            yield Arrived(place=to)
            yield NotifyReceiver(place=to)
        case Hold(reason=reason):
            yield HeldUp(place=state.place, reason=reason)
        case Deliver(signed_by=name):
            yield Delivered(signed_by=name)
        case Move():
            return


def update(event: OnTheWay | AtTheEnds, state: Shipment) -> Shipment:
    """Return the shipment after `event`."""
    match event:
        case Packed(kilos=kilos):
            return state.model_copy(update={"kilos": kilos, "heaviest": max(kilos, state.heaviest)})
        case Delivered():
            return state.model_copy(update={"delivered": True})
        case HeldUp(reason=reason):
            return state.model_copy(update={"holds": (*state.holds, reason or "unknown")})
        case Tracked(place=place):
            return state.model_copy(update={"place": place})
