"""An entity whose `init` fails."""

from pachyderm_cli import Event, Message


class Begin(Message):
    """Begin."""


class Began(Event):
    """It began."""


def init() -> int:
    """Fail."""
    raise RuntimeError("init broke")


def handle(message: Begin, state: int) -> list[Began]:
    """Begin."""
    return [Began()]


def update(event: Began, state: int) -> int:
    """Go on."""
    return state
