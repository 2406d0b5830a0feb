"""Timers for tests: couriers that set them."""

from pachyderm_cli import Pachyderm
from tests.support.courier import Do, Order, Remind


def remind(name: str = "t", note: str = "rung", after: float = 3600, orders: tuple[Order, ...] = ()) -> Remind:
    """Return the order to set a timer."""
    return Remind(name=name, errand=Do(note=note, orders=orders), after=after)


def set_timers(engine: Pachyderm, *reminders: Order, reference: str = "courier:@a") -> None:
    """Let a courier set timers."""
    engine.send(reference, Do(note="set", orders=reminders))
