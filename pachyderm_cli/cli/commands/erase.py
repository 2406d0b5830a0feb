"""`pachyderm erase`: forget an entity on request."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from pachyderm_cli.cli.completion import complete_references
from pachyderm_cli.cli.session import JsonOption, Session
from pachyderm_cli.errors import Interrupted, StoreError, UsageError

if TYPE_CHECKING:
    from pachyderm_cli.store.records import Head


def erase(
    ctx: typer.Context,
    reference: Annotated[
        str,
        typer.Argument(metavar="REF", help="The entity, as in send.", autocompletion=complete_references),
    ],
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="The reason. It stays, and followers get it.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing.")] = False,
    scrub: Annotated[
        bool,
        typer.Option(help="SQLite: write the file anew, so that nothing is left in it; once is enough after several."),
    ] = True,
    as_json: JsonOption = False,
) -> None:
    """Erase an entity for good: its events, snapshots, effects, timers, and what is kept of it for lookup.

    One row stays in the log: whose it was, when and why it was erased, and at which version. Its id stays taken.
    On a terminal it asks first; elsewhere it wants --yes.

    Example: pachyderm erase customer:@ada --yes --why "asked for it, ticket 1815"
    """
    from pachyderm_cli.cli import render_log, serialize_log  # noqa: PLC0415 - see the package's docstring
    from pachyderm_cli.cli.output import emit  # noqa: PLC0415 - as above

    session: Session = ctx.obj
    with session.open() as pachyderm:
        found = pachyderm.find(reference)
        if not yes:
            _confirm(found)
        erased = pachyderm.erase(found.entity, why)
        problem = "other processes kept reading it"
        try:
            is_scrubbed = pachyderm.scrub() if scrub else None
        except StoreError as error:  # the rows are gone all the same
            is_scrubbed, problem = False, error.message
        emit(
            erased,
            as_json,
            lambda result: serialize_log.erased(result, pachyderm.network, is_scrubbed),
            render_log.erased,
        )
        if is_scrubbed is False:
            raise StoreError(
                f"the entity is erased, but its bytes may still be in the store's files ({problem}); to have them "
                "written anew, run: pachyderm store scrub"
            )


def _confirm(found: Head) -> None:
    """Ask whether the entity is to be erased. Raises Interrupted if not, UsageError where nobody can be asked."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(f"this erases {found.entity} for good; add --yes to have it done")
    sys.stderr.write(f"Erase {found.entity}, at version {found.version}, for good? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise Interrupted("nothing was erased")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(erase)
