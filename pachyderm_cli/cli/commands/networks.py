"""`pachyderm networks`: which networks there are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from pachyderm_cli.cli.session import JsonOption, Session
from pachyderm_cli.errors import StoreError

if TYPE_CHECKING:
    from pachyderm_cli.config import Config
    from pachyderm_cli.engine.networks import ListedNetwork


def networks(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """List the networks: those that pachyderm.toml names, those in the stores, and the one that commands are for now.

    One whose store cannot be reached is listed all the same; the exit status says so.

    Example: pachyderm networks
    """
    from pachyderm_cli.cli import render_log, serialize_log  # noqa: PLC0415 - see the package's docstring
    from pachyderm_cli.cli.output import emit  # noqa: PLC0415 - as above

    session: Session = ctx.obj
    problems: list[str] = []
    for each in _listed(session.config()):
        emit(each, as_json, serialize_log.network, render_log.network)
        if each.problem is not None and each.problem not in problems:
            problems.append(each.problem)
    if problems:
        raise StoreError("; ".join(problems))


def _listed(config: Config) -> Iterator[ListedNetwork]:
    from pachyderm_cli.engine.networks import listed_networks  # noqa: PLC0415 - see the package's docstring

    return listed_networks(config.network, config.networks, lambda name: config.place_of(name)[0])


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(networks)
