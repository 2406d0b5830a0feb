"""Engines for tests, on the tally."""

from typing import Any

from pachyderm_cli import Pachyderm
from tests.support import doubler, tally
from tests.support.clocks import ticking


def tally_engine(store_url: str, **options: Any) -> Pachyderm:
    """Return an engine for `tally` and `doubler`, with a clock that ticks unless the options name another."""
    return Pachyderm(store_url, {"tally": tally, "doubler": doubler}, **{"clock": ticking(), **options})
