"""What is kept for lookup: written with the events, left out when stale, rebuilt by snapshots."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, update

from pachyderm_cli import Pachyderm
from pachyderm_cli.engine.results import Lookup
from pachyderm_cli.errors import EntityFailed, Rejected, UsageError
from pachyderm_cli.store.schema import lookups
from tests.support import record
from tests.support.raw import connected, execute
from tests.support.record import Become, Refuse, State
from tests.support.versions import UPDATE, Versions, till


@pytest.fixture
def records(store_url: str) -> Iterator[Pachyderm]:
    """Return an engine for records, on each database."""
    with Pachyderm(store_url, {"record": record}) as engine:
        yield engine


def counts(found: Lookup) -> list[int]:
    """Return the counts of the records that were found."""
    return [each.state.count for each in found.found]


def become(count: int, forward: str | None = None) -> Become:
    """Return the message that makes a record's count so."""
    return Become(state=State(count=count), forward=forward)


def kept_versions(store_url: str) -> list[int]:
    """Return the versions of all states that are kept."""
    with connected(store_url) as connection:
        return sorted(connection.execute(select(lookups.c.version)).scalars())


def test_every_send_keeps_the_newest_state(records: Pachyderm, store_url: str) -> None:
    """One row an entity, at its version; a rejected message changes nothing of it."""
    for count in (1, 2, 3):
        records.send("record:@a", become(count))
    with pytest.raises(Rejected):
        records.send("record:@a", Refuse())
    assert counts(records.lookup("record")) == [3]
    assert kept_versions(store_url) == [3]


def test_batches_keep_the_last_of_each(records: Pachyderm, store_url: str) -> None:
    """Of several messages to one entity in a commit the last one's state is kept."""
    records.send_all([records.request(f"record:@{name}", become(count)) for count in (1, 2) for name in "ab"])
    assert counts(records.lookup("record")) == [2, 2]
    assert kept_versions(store_url) == [2, 2]


def test_messages_between_entities_keep_their_receivers(records: Pachyderm) -> None:
    """What one record passes on is found at the other, in a send, in a batch, and by a worker."""
    records.send("record:@a", become(1, forward="record:@b"))
    assert counts(records.lookup("record")) == [1, 1]
    records.send_all([records.request("record:@a", become(2, forward="record:@c"))])
    assert sorted(counts(records.lookup("record"))) == [1, 2, 2]
    records.send("record:@a", become(3, forward="record:@c"), effects=False)
    assert sorted(counts(records.lookup("record"))) == [1, 2, 3]
    assert [each.result.error for each in records.work(once=True)] == [None]
    assert sorted(counts(records.lookup("record"))) == [1, 3, 3]
    assert records.lookup("record").stale == 0


def test_a_copy_is_found(records: Pachyderm) -> None:
    """A fork has the state of its version, at once."""
    for count in (1, 2):
        records.send("record:@a", become(count))
    forked = records.fork("record:@a", to_version=1)
    found = records.lookup("record", where=["count=1"])
    assert [(each.head.entity, each.head.version) for each in found.found] == [(forked.entity, 1)]
    assert found.stale == 0


def test_networks_do_not_see_one_another(records: Pachyderm, store_url: str) -> None:
    """A lookup finds the entities of its own network alone."""
    records.send("record:@a", become(1))
    with Pachyderm(store_url, {"record": record}, network="other") as other:
        assert other.lookup("record") == Lookup(found=(), stale=0)


def test_what_a_failed_append_kept_is_undone(records: Pachyderm, store_url: str) -> None:
    """The state is in with the events or not at all: a message id that is used keeps nothing."""
    sent = records.send("record:@a", become(1))
    with pytest.raises(Exception, match="was already used"):
        records.send("record:@b", become(2), message_id=sent.message_id)
    assert kept_versions(store_url) == [1]


def test_a_row_behind_its_entity_is_stale(records: Pachyderm, store_url: str) -> None:
    """A state that is not its entity's newest, whatever the reason, is left out and counted until it is rebuilt."""
    records.send("record:@a", become(1))
    records.send("record:@a", become(2))
    execute(store_url, update(lookups).values(version=1))
    assert records.lookup("record") == Lookup(found=(), stale=1)
    records.snapshot("record:@a")
    assert (counts(records.lookup("record")), records.lookup("record").stale) == ([2], 0)


def test_a_row_that_cannot_be_read_is_stale(records: Pachyderm, store_url: str) -> None:
    """One whose text is no state any more hides no other; it is rebuilt as any stale one."""
    records.send("record:@a", become(1))
    execute(store_url, update(lookups).values(state='{"count": "many"}'))
    records.send("record:@b", become(2))
    found = records.lookup("record")
    assert (counts(found), found.stale) == ([2], 1)
    records.snapshot("record:@a")
    assert sorted(counts(records.lookup("record"))) == [1, 2]


def test_other_code_makes_rows_stale(store_url: str, tmp_path: Path) -> None:
    """After a change of code nothing that the former code kept is shown; a snapshot rebuilds it, a send as well."""
    versions = Versions(store_url, tmp_path)
    with versions.engine("first", till(more="lookup = True")) as first:
        for name in "abc":
            first.send(f"till:@{name}", "take", {"amount": 1})
        assert [each.state.taken for each in first.lookup("till").found] == [1, 1, 1]
    changed = till(update=UPDATE.replace("taken + 1", "taken + 2"), more="lookup = True")
    with versions.engine("changed", changed) as engine:
        assert engine.lookup("till") == Lookup(found=(), stale=3)
        engine.snapshot("till:@a")
        engine.send("till:@b", "take", {"amount": 1})
        found = engine.lookup("till", sort="taken")
        assert ([each.state.taken for each in found.found], found.stale) == ([2, 4], 1)


def test_a_type_that_did_not_ask_before(store_url: str, tmp_path: Path) -> None:
    """Without `lookup` there is an error that says what to write; asked for later, what is there is stale first."""
    versions = Versions(store_url, tmp_path)
    with versions.engine("first") as first:
        first.send("till:@a", "put", {"amount": 1})
        with pytest.raises(UsageError, match="lookup = True"):
            first.lookup("till")
    with versions.engine("first", lookups=["till"]) as asked:
        assert asked.lookup("till") == Lookup(found=(), stale=1)
        asked.snapshot("till:@a")
        assert [each.state.balance for each in asked.lookup("till").found] == [1]


def test_a_state_that_json_would_change_is_refused(store_url: str, tmp_path: Path) -> None:
    """What could not be looked up as it is fails the send, and nothing is written."""
    source = till(more="lookup = True").replace("taken: int = 0", "taken: int = 0\n    kept: object = None")
    source = source.replace("taken=state.taken + 1)", "taken=1, kept=(1, 2))")
    with Versions(store_url, tmp_path).engine("first", source) as engine:
        with pytest.raises(EntityFailed):
            engine.send("till:@a", "take", {"amount": 1})
        assert list(engine.entities()) == []


def test_what_is_no_lookup(records: Pachyderm) -> None:
    """Conditions, fields and limits that make no sense are errors, and so is an order that values do not have."""
    records.send("record:@a", become(1))
    for wrong in ({"where": ["count"]}, {"sort": "a..b"}, {"limit": -1}, {"where": ["count<many"]}):
        with pytest.raises(UsageError):
            records.lookup("record", **wrong)


def test_what_is_shown_of_a_state(records: Pachyderm) -> None:
    """Fields of what is found come by their paths; what is not there is None."""
    records.send("record:@a", Become(state=State(count=4, marks={"x": "y"})))
    [found] = records.lookup("record").found
    assert found.fields(["count", "marks.x", "owner.name"]) == {"count": 4, "marks.x": "y", "owner.name": None}
