"""`python -m torture`: run the scenarios, print what came of them; a full run writes it into docs/reliability.md."""

import argparse
import logging
import secrets
import signal
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import replace

from benchmarks.places import places
from torture import report
from torture.figure import Figure, Run
from torture.judge.laws import Breach
from torture.scenarios import (
    contention,
    damage,
    failover,
    full_disk,
    hostile_commands,
    hostile_parsers,
    hostile_sizes,
    io_errors,
    kill,
    postgres,
    power_loss,
    read_only,
    soak,
    unknown_outcome,
)

SCENARIOS: Mapping[str, Callable[[Run], Figure]] = {
    "kill-sqlite": kill.on_sqlite,
    "kill-postgres": kill.on_postgres,
    "power-loss-sqlite": power_loss.on_sqlite,
    "full-disk": full_disk.on_sqlite,
    "io-errors": io_errors.on_sqlite,
    "read-only": read_only.on_sqlite,
    "damage": damage.on_sqlite,
    "postgres-restarts": postgres.restarts,
    "postgres-sessions": postgres.cut_sessions,
    "postgres-timeouts": postgres.timeouts,
    "postgres-connections": postgres.no_connections,
    "postgres-failover": failover.on_postgres,
    "postgres-unanswered": unknown_outcome.on_postgres,
    "hostile-commands": hostile_commands.on_sqlite,
    "hostile-parsers": hostile_parsers.on_all,
    "hostile-sizes": hostile_sizes.on_both,
    "contention-sqlite": contention.on_sqlite,
    "contention-postgres": contention.on_postgres,
    "soak-sqlite": soak.on_sqlite,
    "soak-postgres": soak.on_postgres,
}


class _Terminated(SystemExit):
    """The run was asked to end, all of it."""


def main(arguments: list[str]) -> int:
    """Run the scenarios that are asked for, all by default; return 1 where a promise was broken."""
    options = _options(arguments)
    seed = options.seed if options.seed is not None else secrets.randbelow(2**32)
    print(f"seed {seed}", flush=True)
    figures = []
    for name in options.only or SCENARIOS:
        began = time.monotonic()
        figure = _came_of(name, seed, options)
        print(report.line(figure, time.monotonic() - began), flush=True)
        figures.append(figure)
        if not options.quick:
            report.write(figure, seed)
    return 1 if any(figure.breaches for figure in figures) else 0


def _came_of(name: str, seed: int, options: argparse.Namespace) -> Figure:
    """Run a scenario. That it failed is what came of it, and the later ones run; so it is where it has to run."""
    try:
        with places() as given:
            figure = SCENARIOS[name](Run(given, seed, quick=options.quick))
    except _Terminated:
        raise
    except (SystemExit, Exception) as error:  # noqa: BLE001 - whatever it is, no promise was shown to be kept
        traceback.print_exc()
        return Figure(name, {}, [Breach("the_scenario_came_to_an_end", f"{type(error).__name__}: {error}")])
    if options.require and (why := figure.skipped or figure.left_out):
        return replace(figure, breaches=[Breach("nothing_is_skipped", why), *figure.breaches], skipped=None)
    return figure


def _terminate(*_: object) -> None:
    raise _Terminated(143)


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m torture", description=__doc__)
    parser.add_argument("--seed", type=int, help="the chances of an earlier run once more")
    parser.add_argument("--quick", action="store_true", help="the bounded part, under ten minutes; writes nothing")
    parser.add_argument("--require", action="store_true", help="what cannot be run here is a breach, and no success")
    parser.add_argument("--only", nargs="+", choices=SCENARIOS, metavar="NAME", help=", ".join(SCENARIOS))
    return parser.parse_args(arguments)


if __name__ == "__main__":  # what concerns all of the process, which `main` may share
    signal.signal(signal.SIGTERM, _terminate)  # so that servers and files go as well
    logging.getLogger("pachyderm").addHandler(logging.NullHandler())  # that there is trouble is known here
    sys.exit(main(sys.argv[1:]))
