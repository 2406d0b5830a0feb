"""Reading the log page by page: the pages are of one piece, whatever their size."""

from itertools import islice

import pytest

from pachyderm_cli.store import events
from pachyderm_cli.store.append import append
from pachyderm_cli.store.events import read_data, read_events
from pachyderm_cli.store.store import Store
from tests.support.appends import an_append, an_entity

ENTITY = an_entity()
ALL = list(range(1, 8))


@pytest.fixture(params=[1, 2, 3, 7, 8])
def paged(request: pytest.FixtureRequest, store: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Return a store with seven events of one entity and one of another, read in pages of each size."""
    append(store, "n", [an_append(ENTITY, events=4), an_append(an_entity()), an_append(ENTITY, 4, events=3)])
    monkeypatch.setattr(events, "PAGE", request.param)
    return store


def test_all_events_are_read(paged: Store) -> None:
    """Every version comes once, in order or in reverse."""
    assert [event.version for event in read_events(paged, "n", ENTITY.id)] == ALL
    assert [event.version for event in read_events(paged, "n", ENTITY.id, reverse=True)] == ALL[::-1]


@pytest.mark.parametrize(("after", "up_to"), [(0, 3), (2, 5), (3, 3), (6, 99), (7, None), (0, 0), (2**70, 2**80)])
def test_bounds_hold(paged: Store, after: int, up_to: int | None) -> None:
    """What is read lies above `after` and not above `up_to`."""
    expected = [version for version in ALL if version > after and (up_to is None or version <= up_to)]
    forwards = read_events(paged, "n", ENTITY.id, after=after, up_to=up_to)
    backwards = read_events(paged, "n", ENTITY.id, after=after, up_to=up_to, reverse=True)
    data = read_data(paged, "n", ENTITY.id, after=after, up_to=up_to)
    assert [event.version for event in forwards] == expected
    assert [event.version for event in backwards] == expected[::-1]
    assert [version for page in data for version, *_ in page] == expected


def test_a_fold_reads_type_and_data(paged: Store) -> None:
    """What a fold needs is the same as the whole events have, the version of their class too."""
    whole = [
        (event.version, event.type, event.data, event.type_version) for event in read_events(paged, "n", ENTITY.id)
    ]
    assert [row for page in read_data(paged, "n", ENTITY.id, after=0) for row in page] == whole
    assert whole[2] == (3, "Added", '{"amount":3}', 1)


def test_a_reader_in_the_middle_holds_nothing_open(paged: Store) -> None:
    """Between two events a writer may write, and what it wrote is read if it is in a later page."""
    reading = read_events(paged, "n", ENTITY.id)
    assert [event.version for event in islice(reading, 1)] == [1]
    append(paged, "n", [an_append(ENTITY, 7)])
    rest = [event.version for event in reading]
    assert rest in ([*ALL[1:], 8], ALL[1:])
