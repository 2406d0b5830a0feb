"""A run of scenarios is a success where each ran, to its end, and found nothing."""

from collections.abc import Callable

import pytest

import torture.__main__ as runner
from torture.figure import Figure, Run
from torture.judge.laws import Breach


def ends(_: Run) -> Figure:
    """Come to an end as where a client hangs."""
    raise SystemExit("a writer does not end")


def fails(_: Run) -> Figure:
    """Come to an end by a fault of the scenario's own."""
    raise KeyError("a name")


def is_well(_: Run) -> Figure:
    """Find nothing."""
    return Figure("well", {})


def finds(_: Run) -> Figure:
    """Find something."""
    return Figure("found", {}, [Breach("a_law", "broken")])


def is_skipped(_: Run) -> Figure:
    """Find nothing to run on."""
    return Figure("skipped", {}, skipped="no mounts")


def is_skipped_in_part(_: Run) -> Figure:
    """Find something to run on for the rest of it alone."""
    return Figure("part", {"reads": 1}, left_out="no mounts")


@pytest.mark.parametrize(
    ("first", "options", "status", "told"),
    [
        (is_well, [], 0, "well: every promise kept"),
        (finds, [], 1, "a_law: broken"),
        (ends, [], 1, "the_scenario_came_to_an_end: SystemExit: a writer does not end"),
        (fails, [], 1, "the_scenario_came_to_an_end: KeyError: 'a name'"),
        (is_skipped, [], 0, "skipped: not run: no mounts"),
        (is_skipped, ["--require"], 1, "nothing_is_skipped: no mounts"),
        (is_skipped_in_part, [], 0, "part: every promise kept; 1 reads; left out: no mounts"),
        (is_skipped_in_part, ["--require"], 1, "nothing_is_skipped: no mounts"),
    ],
)
def test_a_success_is_one_where_all_ran(
    first: Callable[[Run], Figure],
    options: list[str],
    status: int,
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What failed, and what was left out though it may not be, is told, and what comes after it runs all the same."""
    monkeypatch.setattr(runner, "SCENARIOS", {"first": first, "later": is_well})
    assert runner.main(["--quick", "--seed", "1", *options]) == status
    out = capsys.readouterr().out
    assert told in out
    assert out.splitlines()[-1].startswith("well: every promise kept")
