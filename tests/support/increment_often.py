"""A process that increments a counter many times: `python -m tests.support.increment_often STORE REFERENCE TIMES`.

It says `ready`, waits for a line, and prints how many of its increments were acknowledged.
"""

import sys

from entities import counter
from pachyderm_cli import Pachyderm


def main(store: str, reference: str, times: str) -> None:
    """Increment `reference` so many times; each that raises nothing is acknowledged."""
    acknowledged = 0
    with Pachyderm(store, {"counter": counter}) as pachyderm:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.readline()
        try:
            for _ in range(int(times)):
                pachyderm.send(reference, counter.Increment())
                acknowledged += 1
        finally:
            sys.stdout.write(f"{acknowledged}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
