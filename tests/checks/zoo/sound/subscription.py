"""A subscription: there is no init, so the state is None until somebody subscribes, and again once it is cancelled."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

from pachyderm_cli import Event, Message, Rejected

Plan = Literal["basic", "plus", "pro"]
Email = Annotated[str, StringConstraints(pattern=r"^[a-z]{1,8}@[a-z]{1,8}\.org$")]


class Subscribe(Message):
    email: Email
    plan: Plan = "basic"


class ChangePlan(Message):
    plan: Plan


class Pause(Message):
    pass


class Resume(Message):
    pass


class Cancel(Message):
    reason: str | None = None


class Subscribed(Event):
    email: Email
    plan: Plan


class PlanChanged(Event):
    plan: Plan


class Paused(Event):
    pass


class Resumed(Event):
    pass


class Cancelled(Event):
    reason: str | None


class Subscription(BaseModel):
    model_config = ConfigDict(frozen=True)

    email: str
    plan: Plan
    paused: bool = False


SubscriptionMessage = Subscribe | ChangePlan | Pause | Resume | Cancel
SubscriptionEvent = Subscribed | PlanChanged | Paused | Resumed | Cancelled


def handle(message: SubscriptionMessage, state: Subscription | None) -> Iterator[SubscriptionEvent]:
    """Take whatever fits."""
    match message, state:
        case Subscribe(email=email, plan=plan), None:
            yield Subscribed(email=email, plan=plan)
        case Subscribe(), Subscription(email=email):
            raise Rejected(f"{email} is subscribed")
        case _, None:
            raise Rejected("nobody is subscribed")
        case ChangePlan(plan=plan), Subscription(plan=current, paused=False) if plan != current:
            yield PlanChanged(plan=plan)
        case Pause(), Subscription(paused=False):
            yield Paused()
        case Resume(), Subscription(paused=True):
            yield Resumed()
        case Cancel(reason=reason), Subscription():
            yield Cancelled(reason=reason)
        case _:
            raise Rejected("that changes nothing")


def update(event: SubscriptionEvent, state: Subscription | None) -> Subscription | None:
    """Return the subscription after `event`."""
    if isinstance(event, Subscribed):
        return Subscription(email=event.email, plan=event.plan)
    if state is None or isinstance(event, Cancelled):
        return None
    match event:
        case PlanChanged(plan=plan):
            return state.model_copy(update={"plan": plan})
        case Paused():
            return state.model_copy(update={"paused": True})
        case Resumed():
            return state.model_copy(update={"paused": False})
