"""A thermostat: floats that are compared and never summed, and the records of a day."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from pachyderm_cli import Effect, Event, Message, Rejected

Celsius = Annotated[float, Field(ge=-40, le=60, allow_inf_nan=False)]
Target = Annotated[int, Field(ge=5, le=30, multiple_of=5)]


class Measure(Message):
    celsius: Celsius


class Aim(Message):
    target: Target


class EndDay(Message):
    pass


class Measured(Event):
    celsius: Celsius


class Aimed(Event):
    target: Target


class Switched(Event):
    heating: bool


class DayEnded(Event):
    pass


class Warn(Effect):
    celsius: float

    async def dispatch(self, config: dict[str, object]) -> None:
        """Warn of frost."""


class Thermostat(BaseModel):
    model_config = ConfigDict(frozen=True)

    target: int = 20
    latest: float | None = None
    coldest: float | None = None
    warmest: float | None = None
    heating: bool = False
    days: int = 0


ThermostatEvent = Measured | Aimed | Switched | DayEnded


def init() -> Thermostat:
    """Return the thermostat as it is mounted."""
    return Thermostat()


def invariant(state: Thermostat) -> bool:
    """Whether the latest measurement lies between the coldest and the warmest of the day."""
    if state.coldest is None or state.warmest is None:
        return state.coldest is state.warmest
    return state.latest is not None and state.coldest <= state.latest <= state.warmest


def handle(message: Measure | Aim | EndDay, state: Thermostat) -> list[ThermostatEvent | Warn]:
    """Note what is measured, switch the heating, warn of frost."""
    answer: list[ThermostatEvent | Warn] = []
    match message:
        case Measure(celsius=celsius):
            answer.append(Measured(celsius=celsius))
            if (celsius < state.target) != state.heating:
                answer.append(Switched(heating=not state.heating))
            if celsius < 0:
                answer.append(Warn(celsius=celsius))
        case Aim(target=target):
            if target != state.target:
                answer.append(Aimed(target=target))
        case EndDay():
            if state.coldest is None:
                raise Rejected("nothing was measured")
            answer += [DayEnded()]
    return answer


def update(event: ThermostatEvent, state: Thermostat) -> Thermostat:
    """Return the thermostat after `event`."""
    match event:
        case Measured(celsius=celsius):
            coldest = celsius if state.coldest is None else min(celsius, state.coldest)
            warmest = celsius if state.warmest is None else max(celsius, state.warmest)
            return state.model_copy(update={"latest": celsius, "coldest": coldest, "warmest": warmest})
        case Aimed(target=target):
            return state.model_copy(update={"target": target})
        case Switched(heating=heating):
            return state.model_copy(update={"heating": heating})
        case DayEnded():
            return state.model_copy(update={"coldest": None, "warmest": None, "days": state.days + 1})
