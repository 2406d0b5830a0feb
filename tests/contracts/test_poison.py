"""Effects that fail whenever they are tried, or end their process: they are parked, and the others none the worse."""

import json
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import update

from pachyderm_cli.store.outbox import claim, release
from pachyderm_cli.store.records import Held, Lease
from pachyderm_cli.store.schema import outbox
from pachyderm_cli.store.store import Store
from tests.support import killed_outbox, poisonous
from tests.support.clients import wait_for_the_server
from tests.support.killed_workers import Workplace
from tests.support.poisonous import MOST_ATTEMPTS
from tests.support.raw import execute

POISONOUS = Path(poisonous.__file__).read_text(encoding="utf-8")
FAILED, EXITED = 8, 77
"""How a worker ends of whose attempts one failed, and a process that `exit` ends."""

GOOD = tuple((f"good-{number}", "") for number in range(20))


@pytest.fixture
def workplace(store_url: str, tmp_path: Path) -> Workplace:
    """Return a project with effects of any kind."""
    return Workplace(tmp_path, store_url, {"poisonous": POISONOUS})


def leave(workplace: Workplace, *effects: tuple[str, str]) -> None:
    """Leave effects to workers, each a mark and what it does, in that order."""
    with workplace.engine() as engine:
        engine.send("poisonous:@one", "emit", {"effects": effects}, effects=False)


def by_mark(workplace: Workplace) -> dict[str, Any]:
    """Return the effects in the outbox by their marks, or by the message that they send."""
    rows = killed_outbox.rows(workplace.store_url)
    return {row["message"] or json.loads(row["data"])["mark"]: row for row in rows}


def statuses(workplace: Workplace) -> Counter[tuple[str, int]]:
    """Return how many effects have which status and how many attempts."""
    return Counter((row["status"], row["attempts"]) for row in killed_outbox.rows(workplace.store_url))


def runs(workplace: Workplace) -> Counter[str]:
    """Return how often each effect was run."""
    return Counter(mark for mark, *_ in workplace.lines())


def let_time_pass(workplace: Workplace) -> None:
    """Let leases run out and what failed be due, once the killed are seen to be gone."""
    wait_for_the_server(workplace.store_url)
    killed_outbox.let_time_pass(workplace.store_url)


def work_until_one_lives(workplace: Workplace, *arguments: str) -> list[int]:
    """Start a worker again and again, as whoever watches over it would, until one lives; return how they ended."""
    ended: list[int] = []
    while not ended or ended[-1] not in (0, FAILED):
        assert len(ended) < 10, ended
        let_time_pass(workplace)
        ended.append(workplace.work_once(*arguments))
    return ended


def test_one_that_fails(workplace: Workplace) -> None:
    """It is tried again later, so often, and then parked with its error; the others are done meanwhile."""
    leave(workplace, ("bad", "raise"), *GOOD)
    for attempt in range(1, MOST_ATTEMPTS + 1):
        assert workplace.work_once() == FAILED
        bad = by_mark(workplace)["bad"]
        assert statuses(workplace) == {("done", 1): len(GOOD), (bad["status"], attempt): 1}
        assert bad["status"] == ("pending" if attempt < MOST_ATTEMPTS else "parked")
        assert bad["error"].startswith("RuntimeError: poison (")
        let_time_pass(workplace)
    assert (bad["lease"], bad["next_attempt_at"], bad["fingerprint"] is None) == (None, None, False)
    assert workplace.work_once() == 0, "there was something to do for a worker"
    assert runs(workplace) == {"bad": MOST_ATTEMPTS, **{mark: 1 for mark, _ in GOOD}}


def test_one_that_was_claimed_and_not_tried(workplace: Workplace) -> None:
    """What a worker gives back untried still says how it failed the last time."""
    leave(workplace, ("bad", "raise"))
    assert workplace.work_once() == FAILED
    let_time_pass(workplace)
    before = by_mark(workplace)["bad"]
    store, lease = Store(workplace.store_url), Lease(uuid4(), 30)
    [claimed] = claim(store, "default", ["poisonous"], lease, 1)
    release(store, "default", [Held(claimed.id, lease)], counted=False)
    store.close()
    after = by_mark(workplace)["bad"]
    assert (after["status"], after["attempts"], after["lease"]) == ("pending", 1, None)
    assert after["error"] == before["error"] == claimed.error
    assert after["error"].startswith("RuntimeError: poison")


def test_one_that_ends_its_process(workplace: Workplace) -> None:
    """Its attempts count though nobody lives to tell of them; it ends no more workers than it has attempts."""
    leave(workplace, *GOOD[:10], ("bad", "exit"), *GOOD[10:])
    ended = work_until_one_lives(workplace, "--concurrency", "1")
    assert ended == [EXITED] * MOST_ATTEMPTS + [FAILED]
    assert statuses(workplace) == {("done", 1): len(GOOD), ("parked", MOST_ATTEMPTS): 1}
    assert by_mark(workplace)["bad"]["error"] == f"the process ended while it was tried, {MOST_ATTEMPTS} times"
    assert runs(workplace) == {"bad": MOST_ATTEMPTS, **{mark: 1 for mark, _ in GOOD}}


def test_one_that_ends_what_runs_beside_it(workplace: Workplace) -> None:
    """What is tried while it ends the process is tried again without it, and not parked with it."""
    slow = [(f"slow-{number}", "take-time") for number in range(3)]
    leave(workplace, ("bad", "kill"), *slow, *GOOD)
    ended = work_until_one_lives(workplace, "--concurrency", "4")
    assert ended == [-9] * MOST_ATTEMPTS + [FAILED]
    found = by_mark(workplace)
    assert (found["bad"]["status"], found["bad"]["attempts"]) == ("parked", MOST_ATTEMPTS)
    assert {mark: found[mark]["status"] for mark in found if mark != "bad"} == dict.fromkeys(
        [mark for mark, _ in (*slow, *GOOD)], "done"
    )
    assert max(runs(workplace)[mark] for mark, _ in slow) > 1, "nothing was run beside it"


def test_one_that_ends_its_sender(workplace: Workplace) -> None:
    """The effects after it are done by a worker, who is not ended by it more often than its attempts allow."""
    effects = json.dumps([*GOOD[:3], ("bad", "exit"), *GOOD[3:]])
    assert workplace.run("send", "poisonous:@one", "emit", f"effects={effects}") == EXITED
    assert statuses(workplace) == {("done", 1): 3, ("pending", 1): len(GOOD) - 2}
    ended = work_until_one_lives(workplace, "--concurrency", "1")
    assert ended == [EXITED] * (MOST_ATTEMPTS - 1) + [FAILED]
    assert by_mark(workplace)["bad"]["status"] == "parked"
    assert statuses(workplace)["parked", MOST_ATTEMPTS] == 1
    assert runs(workplace) == {"bad": MOST_ATTEMPTS, **{mark: 1 for mark, _ in GOOD}}
    assert Counter(row["status"] for row in killed_outbox.rows(workplace.store_url)) == {"done": len(GOOD), "parked": 1}


def test_a_timer_that_ends_its_process(workplace: Workplace) -> None:
    """It ends senders to its entity no more often than its attempts allow; then it is a worker's to park."""
    with workplace.engine() as engine:
        engine.send("poisonous:@one", "set-off", effects=False)
    # All but one of its eight attempts are made.
    execute(workplace.store_url, update(outbox).where(outbox.c.timer == "end").values(attempts=7))
    sending = ("send", "poisonous:@one", "emit")
    assert [workplace.run(*sending) for _ in range(3)] == [EXITED, 0, 0]
    let_time_pass(workplace)
    assert workplace.work_once() == FAILED
    timer = by_mark(workplace)["Explode"]
    assert (timer["status"], timer["attempts"]) == ("parked", 8)
    assert timer["error"] == "the process ended while it was tried, 8 times"


def test_parked_until_the_code_has_changed(workplace: Workplace) -> None:
    """What is parked is tried by a worker with other code, as often as a new one, and by none with the same."""
    leave(workplace, ("bad", "raise"))
    with workplace.engine() as engine:
        engine.send("poisonous:@two", "set-off", effects=False)
        engine.discard_effect(by_mark(workplace)["Explode"]["id"], "not wanted here")
    execute(workplace.store_url, update(outbox).where(outbox.c.message == "Stumble").values(attempts=7))
    execute(workplace.store_url, update(outbox).where(outbox.c.type == "Act").values(attempts=MOST_ATTEMPTS - 1))
    assert workplace.work_once() == FAILED
    parked = by_mark(workplace)
    assert {mark: parked[mark]["status"] for mark in ("bad", "Stumble")} == {"bad": "parked", "Stumble": "parked"}

    poison = 'raise RuntimeError("poison")'
    workplace.write({"poisonous": POISONOUS.replace(poison, f"{poison}  # a comment is no change")})
    assert workplace.work_once() == 0
    assert by_mark(workplace) == parked

    mended = POISONOUS.replace(poison, "return").replace('raise RuntimeError("stumbled")', "yield Happened()")
    workplace.write({"poisonous": mended})
    assert workplace.work_once() == 0
    done = by_mark(workplace)
    assert {mark: (done[mark]["status"], done[mark]["attempts"]) for mark in ("bad", "Stumble")} == {
        "bad": ("done", 1),
        "Stumble": ("done", 1),
    }
    assert runs(workplace) == {"bad": 2}
    assert [event["message"] for event in killed_outbox.logged(workplace.store_url)] == ["Emit", "SetOff", "Stumble"]
