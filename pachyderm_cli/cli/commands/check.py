"""`pachyderm check`: whether entity modules keep the contract, found out by trying."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pachyderm_cli.cli.completion import complete_types
from pachyderm_cli.cli.session import EntitiesOption, JsonOption, Session
from pachyderm_cli.errors import CheckFailed, ConfigError, PachydermError, UsageError
from pachyderm_cli.project import is_folder

if TYPE_CHECKING:
    from pachyderm_cli.checks.check import Wish
    from pachyderm_cli.checks.findings import Report
    from pachyderm_cli.domain.entity import EntityType
    from pachyderm_cli.engine.loader import FolderEntityTypes

    Checked = tuple[EntityType, Report]

_SEEDS = 2**32


TypesArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="TYPE",
        help="The entity types. Left out: all of the project.",
        autocompletion=complete_types,
        show_default=False,
    ),
]
ExamplesOption = Annotated[
    int | None,
    typer.Option("--max-examples", min=1, metavar="N", help="Try so many sequences of messages. [default: 200]"),
]
SeedOption = Annotated[
    int | None,
    typer.Option("--seed", min=0, metavar="N", help="Try those of this seed again. [default: others each time]"),
]


def check(
    ctx: typer.Context,
    types: TypesArgument = None,
    max_examples: ExamplesOption = None,
    seed: SeedOption = None,
    entities: EntitiesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find out whether entity modules keep the contract.

    Tries random sequences of messages, made from the annotations alone, and shows the smallest that breaks a
    property as commands to run and a test to paste; reads the source for what need not be tried. No store is
    touched. The exit status is 9 if anything was found. Needs pip install 'pachyderm-cli[check]'.

    Example: pachyderm check account --max-examples 1000
    """
    from pachyderm_cli.checks.extra import no_leftovers, require_hypothesis  # noqa: PLC0415 - see the package's docstring

    require_hypothesis()
    from random import SystemRandom  # noqa: PLC0415 - as above

    from pachyderm_cli.checks.check import EXAMPLES, Wish  # noqa: PLC0415 - as above, and needs Hypothesis
    from pachyderm_cli.cli.output import note, prints_aside, warnings_noted  # noqa: PLC0415 - as above
    from pachyderm_cli.engine.loader import FolderEntityTypes  # noqa: PLC0415 - as above

    session: Session = ctx.obj
    folder = session.config().entities if entities is None else Path(entities).resolve()
    if folder is None:
        raise UsageError(
            "there is nothing to check: this is no project (no pachyderm.toml in this folder or above); name one "
            "with --project, or a folder of entity modules with --entities"
        )
    if entities is not None and not is_folder(folder):
        raise ConfigError(f"there is no folder of entity modules at {folder}")
    wish = Wish(max_examples or EXAMPLES, SystemRandom().randrange(_SEEDS) if seed is None else seed)
    with prints_aside(), warnings_noted(), no_leftovers():
        known = FolderEntityTypes(folder)
        names = list(dict.fromkeys(each.partition(":")[0] for each in types)) if types else known.names()
        if not names:
            note(f"there are no entity modules in {folder}")
        _check_all(known, names, wish, folder, as_json=as_json)


def _check_all(known: FolderEntityTypes, names: list[str], wish: Wish, folder: Path, *, as_json: bool) -> None:
    """Check and print one type after the other. Raises CheckFailed, or what keeps a type from being checked."""
    from pachyderm_cli.cli import render_check, serialize_check  # noqa: PLC0415 - as above
    from pachyderm_cli.cli.output import emit, emit_each, progress_told, results, tell_error  # noqa: PLC0415 - as above

    problems: list[PachydermError] = []
    shown: list[Checked] = []
    is_terminal = results().isatty()
    with progress_told("checking") as told:
        for each in _reports(known, names, wish, folder, problems, told):
            shown.append(each)
            if not is_terminal:
                emit(each, as_json, serialize_check.report, render_check.report)
    if is_terminal:  # they would have run into the progress bar
        emit_each(shown, as_json, serialize_check.report, render_check.report)
    failed = [report.entity_type for _, report in shown if not report.is_sound]
    for problem in problems if failed else problems[1:]:
        tell_error(problem, as_json=as_json)
    if failed:
        which = f"{', '.join(failed)} ({len(failed)} of {len(names)} entity types)" if len(names) > 1 else failed[0]
        keep = "do not keep" if len(failed) > 1 else "does not keep"
        raise CheckFailed(f"{which} {keep} the contract (the same again: --seed {wish.seed})", types=failed)
    if problems:
        raise problems[0]


def _reports(
    known: FolderEntityTypes,
    names: list[str],
    wish: Wish,
    folder: Path,
    problems: list[PachydermError],
    told: Callable[[int, int], None] | None,
) -> Iterator[Checked]:
    """Yield the report of each type; what keeps one from being checked goes to `problems`, and the others go on."""
    from pachyderm_cli.checks.check import check as check_type  # noqa: PLC0415 - as above

    def tell(at: int, tried: int) -> None:
        if told is not None:  # after a fault the search begins again, so that it may stay at its end for a while
            told(at * wish.examples + min(tried, wish.examples), len(names) * wish.examples)

    for at, name in enumerate(names):
        try:
            entity_type = known.get(name)
            yield entity_type, check_type(entity_type, wish, folder=folder, progress=partial(tell, at))
        except PachydermError as error:
            problems.append(error)
        except Exception as error:  # noqa: BLE001 - whatever user code does to one type, the others are checked
            problem = PachydermError(f"{name} could not be checked: {type(error).__name__}: {error}")
            problem.__cause__ = error
            problems.append(problem)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(check)
