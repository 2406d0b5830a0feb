"""`pachyderm worker`: carries out what is due in the outbox, here or on many machines."""

from __future__ import annotations

import sys
from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer

from pachyderm_cli.cli.session import JsonOption, Session
from pachyderm_cli.errors import EffectFailed, PachydermError

if TYPE_CHECKING:
    from pachyderm_cli.engine.engine import Pachyderm

OnceOption = Annotated[bool, typer.Option("--once", help="End when nothing more is due.")]
ConcurrencyOption = Annotated[
    int, typer.Option("--concurrency", "-c", min=1, metavar="N", help="How many effects at a time.")
]


def worker(
    ctx: typer.Context,
    once: OnceOption = False,
    concurrency: ConcurrencyOption = 4,
    as_json: JsonOption = False,
) -> None:
    """Carry out what is due in the outbox: effects, messages, timers.

    It prints a line per attempt. SIGTERM or Ctrl-C lets it end what is under way; a second one ends it at once. Any
    number of workers may share a store.

    Example: pachyderm worker --once
    """
    from pachyderm_cli.cli import render_effects, serialize  # noqa: PLC0415 - see the package's docstring
    from pachyderm_cli.cli.output import emit, finish  # noqa: PLC0415 - as above
    from pachyderm_cli.cli.stopping import stopped_by_signals  # noqa: PLC0415 - as above

    session: Session = ctx.obj
    attempts = failures = 0
    with stopped_by_signals(as_json=as_json) as stop, session.open() as pachyderm:
        _greet(pachyderm, once=once)
        with closing(pachyderm.work(once=once, concurrency=concurrency, stop=stop)) as working:
            for worked in working:
                emit(worked, as_json, serialize.worked, render_effects.worked)
                finish()  # whoever follows has each line as it comes
                attempts += 1
                failures += worked.result.has_failed
    if once and failures:
        raise EffectFailed(
            f"{failures} of {attempts} attempts failed; pachyderm effects list shows what is left",
            attempts=attempts,
            failed=failures,
        )


def _greet(pachyderm: Pachyderm, *, once: bool) -> None:
    """Say what is to be known at the start. Raises StoreError where the store cannot be used at all."""
    from pachyderm_cli.cli.output import note  # noqa: PLC0415 - see the package's docstring

    pachyderm.next_due()
    if not pachyderm.type_names():
        note("there are no entity modules here, so everything waits")
    for name in pachyderm.unreadable_types():
        try:
            pachyderm.entity_type(name)
        except PachydermError as error:
            note(f"what {name} is to carry out waits, since it cannot be loaded: {error.message}")
    if not once and sys.stderr.isatty():
        note(f"working on the network {pachyderm.network!r}, and waiting for more; Ctrl-C ends it")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(worker)
