"""What an hour of load takes is judged: what grows is found, and told by how much it grows."""

import pytest

from torture.scenarios.soak import Sample, not_level, slope

MB = 2**20
LEVEL = [Sample(memory=80 * MB, files=15, threads=12, log=MB, at=900 + 45.0 * number) for number in range(60)]


@pytest.mark.parametrize(
    ("growing", "found"),
    [({}, 0), ({"memory": 5 * MB}, 0), ({"memory": 15 * MB}, 1), ({"files": 20}, 1), ({"threads": 6}, 1)],
)
def test_what_grows_is_found(growing: dict[str, int], found: int) -> None:
    """What is more in the end by more than a few batches' memory, or connections, is told."""
    samples = [
        each._replace(**{name: getattr(each, name) + more * at // 60 for name, more in growing.items()})
        for at, each in enumerate(LEVEL)
    ]
    assert len(not_level(samples)) == found


def test_the_slope_is_in_megabytes_an_hour() -> None:
    """A megabyte for each sample of 45 seconds is 80 an hour."""
    samples = [each._replace(memory=each.memory + at * MB) for at, each in enumerate(LEVEL)]
    assert slope(samples) == pytest.approx(80)
    assert slope(LEVEL) == 0
