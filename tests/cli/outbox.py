"""The outbox, for tests of the command line: effects of a known id, and time that passes when it is told to."""

from uuid import UUID

from sqlalchemy import update

from pachyderm_cli.domain.identifiers import effect_id
from pachyderm_cli.store.schema import outbox
from tests.cli.running import Command
from tests.support.raw import execute

MESSAGE = "0190f5fc-0000-7000-8000-000000000001"
EFFECT = str(effect_id(UUID(MESSAGE), 0))
"""The id of the first effect of that message."""

_LONG_AGO = "2020-01-01T00:00:00.000000Z"


def post(command: Command, *fields: str, options: tuple[str, ...] = ("--no-effects",)) -> None:
    """Have the courier `@a` write a letter, which is left to a worker."""
    command.quick("send", "courier:@a", "post", *(fields or ("text=hello",)), *options).done()


def parked(command: Command, message: str = MESSAGE) -> None:
    """Have the courier `@a` try something in vain, which is then parked."""
    command.quick("worker", "--once").done()
    command.quick("send", "courier:@a", "risk", "text=x", "--id", message, "--no-effects").done()
    assert command.quick("worker", "--once").status == 8


def let_time_pass(store_url: str) -> None:
    """Let everything that waits be due."""
    execute(store_url, update(outbox).where(outbox.c.status == "pending").values(next_attempt_at=_LONG_AGO))


def letters(command: Command) -> list[str]:
    """Return the letters that were written, in order."""
    file = command.folder / "letters"
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else []
