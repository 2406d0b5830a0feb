"""A process that sends one addition to a tally: `python -m tests.support.send_once STORE REFERENCE AMOUNT`."""

import sys

from tests.support.engines import tally_engine
from tests.support.tally import Add


def main(store: str, reference: str, amount: str) -> None:
    """Send, close the store, and end."""
    with tally_engine(store) as engine:
        engine.send(reference, Add(amount=int(amount)))


if __name__ == "__main__":
    main(*sys.argv[1:])
