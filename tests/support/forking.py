"""A process that forks while its store is open: `python -m tests.support.forking STORE`. Prints `fine` if all is."""

import gc
import os
import sys
from collections.abc import Iterator

from pachyderm_cli.store.append import append
from pachyderm_cli.store.events import read_events
from pachyderm_cli.store.store import Store
from tests.support.appends import an_append, an_entity

ENTITY = an_entity()


def versions(store: Store) -> Iterator[int]:
    """Yield the versions that the store holds of the entity."""
    return (event.version for event in read_events(store, "n", ENTITY.id))


def child(store: Store) -> None:
    """Read, write and close on the parent's store, as a forked worker would, and end as a process does."""
    assert list(versions(store)) == [1]
    append(store, "n", [an_append(ENTITY, 1)])
    store.close()
    gc.collect()


def main(url: str) -> None:
    """Fork with one idle connection and one in use; both must work for the parent when the child is gone."""
    store = Store(url)
    append(store, "n", [an_append(ENTITY)])
    with store.streaming() as transaction:
        busy = transaction._connection
        before = busy.execute("SELECT count(*) FROM pachyderm_events").fetchall()[0][0]
        pid = os.fork()
        if pid == 0:
            try:
                child(store)
            except BaseException as error:  # noqa: BLE001 - whatever it is, the parent is told
                sys.stdout.write(repr(error))
                sys.stdout.flush()
                os._exit(1)
            os._exit(0)
        status = os.waitpid(pid, 0)[1]
        again = busy.execute("SELECT count(*) FROM pachyderm_entities").fetchall()[0][0]
    assert (before, again, status) == (1, 1, 0)
    assert list(versions(store)) == [1, 2]
    append(store, "n", [an_append(ENTITY, 2)])
    assert list(versions(store)) == [1, 2, 3]
    store.close()
    sys.stdout.write("fine\n")


if __name__ == "__main__":
    main(sys.argv[1])
