"""What senders are killed over: errands of several kinds, each with marks of its own, and what they must come to."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.support.killed_errand import Errand, Leg


class Scenario(NamedTuple):
    """Errands and whom they are for: the last of them is sent by who is killed, those before it in peace."""

    errands: tuple[tuple[str, Errand], ...]


def _effects(name: str) -> Scenario:
    errand = Errand(
        mark=name, once=(f"{name}.o", f"{name}.p"), durable=(f"{name}.d", f"{name}.e"), flaky=(f"{name}.f",)
    )
    return Scenario(((f"errand:@{name}", errand),))


def _messages(name: str) -> Scenario:
    """Return one whose messages lead to messages, to entities of its own and to one that all share."""
    last = Errand(mark=f"{name}.last", once=(f"{name}.o",), durable=(f"{name}.d",))
    middle = Errand(mark=f"{name}.middle", durable=(f"{name}.e",), legs=(Leg(errand=last, to="errand:@hub"),))
    aside = Errand(mark=f"{name}.aside", once=(f"{name}.p",))
    legs = (Leg(errand=middle, to=f"errand:@{name}.2"), Leg(errand=aside, to="errand:@hub"))
    return Scenario(((f"errand:@{name}", Errand(mark=name, legs=legs)),))


def _refusals(name: str) -> Scenario:
    refused = Errand(mark=f"{name}.refused", is_refused=True, once=(f"{name}.never",))
    ignored = Errand(mark=f"{name}.ignored", is_refused=True)
    back = Errand(mark=f"{name}.back", once=(f"{name}.o",), durable=(f"{name}.d",))
    legs = (Leg(errand=refused, to="errand:@hub", back=back), Leg(errand=ignored, to=f"errand:@{name}.2"))
    return Scenario(((f"errand:@{name}", Errand(mark=name, legs=legs)),))


def _timers(name: str) -> Scenario:
    """Return one that finds the entity with timers that are overdue, out of order, and a delayed message."""
    delayed = Errand(mark=f"{name}.delayed", once=(f"{name}.p",))
    first = Errand(mark=f"{name}.first", legs=(*_overdue(name), Leg(errand=delayed, to="errand:@hub", overdue=3)))
    last = Errand(mark=name, durable=(f"{name}.f",))
    return Scenario(((f"errand:@{name}", first), (f"errand:@{name}", last)))


def _others_timers(name: str) -> Scenario:
    """Return one whose message finds its receiver with timers that are overdue."""
    first = Errand(mark=f"{name}.first", legs=_overdue(name))
    second = Errand(mark=f"{name}.second", durable=(f"{name}.f",))
    last = Errand(mark=name, legs=(Leg(errand=second, to=f"errand:@{name}.2"),))
    return Scenario(((f"errand:@{name}.2", first), (f"errand:@{name}", last)))


def _overdue(name: str) -> tuple[Leg, Leg]:
    late = Errand(mark=f"{name}.late", once=(f"{name}.o",))
    onward = Errand(mark=f"{name}.onward", durable=(f"{name}.e",))
    early = Errand(mark=f"{name}.early", durable=(f"{name}.d",), legs=(Leg(errand=onward, to="errand:@hub"),))
    return Leg(errand=late, overdue=2), Leg(errand=early, overdue=1)


SCENARIOS: dict[str, Callable[[str], Scenario]] = {
    "effects": _effects,
    "messages": _messages,
    "refusals": _refusals,
    "timers": _timers,
    "others-timers": _others_timers,
}
"""By kind; each takes the name that its marks and its entities begin with."""


@dataclass
class Expected:
    """What errands come to in the end: marks of events, of effects, and how many messages are refused."""

    events: Counter[str] = field(default_factory=Counter)
    durable: set[str] = field(default_factory=set)
    once: set[str] = field(default_factory=set)
    refused: int = 0
    sent: int = 0

    def add(self, errand: Errand) -> None:
        """Add an errand that was handled, and all that it leads to."""
        self.events[errand.mark] += 1
        self.durable.update(errand.durable, errand.flaky)
        self.once.update(errand.once)
        for leg in errand.legs:
            self.sent += 1
            if not leg.errand.is_refused:
                self.add(leg.errand)
                continue
            self.refused += 1
            if leg.back is not None:
                self.sent += 1
                self.add(leg.back)
