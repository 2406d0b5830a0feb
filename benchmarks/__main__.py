"""`python -m benchmarks`: measure, print one table, write it as JSON."""

import argparse
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from time import perf_counter

from benchmarks import report
from benchmarks.figures import (
    big_store,
    cold_load,
    durable_effect,
    file,
    growth,
    long_entity,
    memory,
    one_sender,
    outbox,
    processes,
    startup,
    threads,
)
from benchmarks.machine import describe
from benchmarks.places import ROOT, places
from benchmarks.results import Figure
from benchmarks.run import Run
from benchmarks.sizes import FULL, QUICK

FIGURES: Mapping[str, Callable[[Run], Figure]] = {
    "one-sender-sqlite": one_sender.on_sqlite,
    "one-sender-postgres": one_sender.on_postgres,
    "threads-sqlite": threads.on_sqlite,
    "threads-postgres": threads.on_postgres,
    "processes-postgres": processes.on_postgres,
    "durable-effect-sqlite": durable_effect.on_sqlite,
    "durable-effect-postgres": durable_effect.on_postgres,
    "outbox-sqlite": outbox.on_sqlite,
    "outbox-postgres": outbox.on_postgres,
    "send-file-sqlite": file.on_sqlite,
    "cold-load-sqlite": cold_load.on_sqlite,
    "cold-load-postgres": cold_load.on_postgres,
    "long-entity-sqlite": long_entity.on_sqlite,
    "big-store-sqlite": big_store.on_sqlite,
    "big-store-postgres": big_store.on_postgres,
    "growth-entity-sqlite": growth.of_entity,
    "growth-store-sqlite": growth.of_store,
    "memory-sqlite": memory.on_sqlite,
    "startup-send": startup.send,
    "startup-light": startup.light_commands,
}


def main(arguments: list[str]) -> int:
    """Run the figures that are asked for, all by default; return the exit status."""
    options = _options(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that servers and files go as well
    names = [name for name in options.only or FIGURES if not (options.sqlite_only and name.endswith("postgres"))]
    begun = perf_counter()
    figures = []
    with places() as given:
        run = Run(given, QUICK if options.quick else FULL)
        machine = describe(given, with_postgres=any(name.endswith("postgres") for name in names))
        for name in names:
            started = perf_counter()
            print(f"{name} ...", end=" ", file=sys.stderr, flush=True)
            figures.append(FIGURES[name](run))
            print(f"{perf_counter() - started:.0f} s", file=sys.stderr)
    machine["run"] = f"{'quick' if options.quick else 'full'}, {perf_counter() - begun:.0f} s"
    print(report.header(machine, run.settings), report.table(figures), sep="\n\n")
    report.write_json(report.as_json(machine, run.settings, figures), options.json)
    print(f"\nwritten to {options.json}")
    return 0


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="less of everything: under two minutes")
    parser.add_argument("--only", nargs="+", choices=list(FIGURES), metavar="NAME", help=", ".join(FIGURES))
    parser.add_argument("--sqlite-only", action="store_true", help="leave out what needs a Postgres")
    parser.add_argument("--json", type=Path, metavar="FILE", help="default: benchmarks/results/{quick,full}.json")
    options = parser.parse_args(arguments)
    if options.json is None:
        options.json = ROOT / "benchmarks" / "results" / ("quick.json" if options.quick else "full.json")
    return options


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
