"""Commands as cold processes, against a Python that does no more than load libraries."""

import os
import sys
from collections.abc import Callable

from benchmarks import command
from benchmarks.contenders.contender import WrongOutcome
from benchmarks.contenders.engine import count_events, store_url
from benchmarks.places import PROJECT
from benchmarks.results import Figure, Series, ratio
from benchmarks.rounds import alternate
from benchmarks.run import Run

_LIBRARIES = "import typer, rich.console, pydantic, sqlalchemy"


def send(run: Run) -> Figure:
    """Measure `pachyderm send` to an existing entity on SQLite."""
    file = run.places.sqlite_file()
    arguments = ["send", "counter:@cold", "increment"]
    series = _measure(
        run,
        {
            f"python -c '{_LIBRARIES}'": lambda: _python(_LIBRARIES),
            "pachyderm send": lambda: command.milliseconds(command.on_store(store_url(file), *arguments)),
        },
    )
    expected = 1 + run.sizes.process_rounds
    if count_events(str(file)) != expected:
        raise WrongOutcome(f"{count_events(str(file))} events were written where {expected} were sent")
    run.note("startup-send", "pachyderm send", command.settings_of(store_url(file), *arguments))
    libraries, ours = series
    compared = ratio(ours, libraries, at_most=1.25)
    return Figure("startup-send", "pachyderm send, cold process, SQLite", series, (compared,))


def light_commands(run: Run) -> Figure:
    """Measure what needs no store: help, version and completion."""
    completing = {
        **os.environ,
        "_PACHYDERM_COMPLETE": "complete_bash",
        "COMP_WORDS": "pachyderm send counter:@a inc",
        "COMP_CWORD": "3",
        "PACHYDERM_PROJECT": str(PROJECT),
    }
    of_commands = {**completing, "COMP_WORDS": "pachyderm hist", "COMP_CWORD": "1"}
    series = _measure(
        run,
        {
            "python -c 'import typer'": lambda: _python("import typer"),
            "pachyderm --help": lambda: command.milliseconds(command.pachyderm("--help"), "history"),
            "pachyderm --version": lambda: command.milliseconds(command.pachyderm("--version"), "pachyderm"),
            "completion of a command": lambda: command.milliseconds(command.pachyderm(), "history", of_commands),
            "completion of a message": lambda: command.milliseconds(command.pachyderm(), "increment", completing),
        },
    )
    typer, *ours = series
    comparisons = tuple(ratio(each, typer, at_most=1.5) for each in ours)
    return Figure("startup-light", "help, version and completion, cold process", series, comparisons)


def _measure(run: Run, turns: dict[str, Callable[[], float]]) -> tuple[Series, ...]:
    for warm_up in turns.values():  # the first run compiles and caches
        warm_up()
    return tuple(alternate(turns, "ms", run.sizes.process_rounds).values())


def _python(code: str) -> float:
    return command.milliseconds([sys.executable, "-c", code])
