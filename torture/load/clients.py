"""What the processes under fire do: send, work, follow. Each notes what it is about to do, and what it was told."""

import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID, uuid5

from pachyderm_cli import Pachyderm, Rejected
from pachyderm_cli.engine.following import Following
from pachyderm_cli.engine.results import Sent
from pachyderm_cli.errors import CursorHeld, StoreError
from pachyderm_cli.store.records import RecordedEvent
from torture.load import account
from torture.load.notes import note, notes

NETWORKS = ("red", "blue")
LEASE = 2.0
"""Seconds after which what a dead worker or follower had is another's."""

_AGAIN = 50  # of the messages of each client that were answered are sent again in the end

_SPACE = UUID("6f0d4a9e-0000-4000-8000-000000000000")


@dataclass(frozen=True)
class Task:
    """Who a client is, and where it works."""

    name: str
    store_url: str
    network: str
    folder: Path
    seed: int
    entities: int = 20
    incarnation: int = 0

    def engine(self) -> Pachyderm:
        """Return an engine of its own."""
        return Pachyderm(
            self.store_url,
            modules={"account": account},
            network=self.network,
            config={"traces": str(self.folder / "traces" / f"{self.name}.jsonl")},
            lease_seconds=LEASE,
        )

    def file(self, kind: str) -> Path:
        """Return where it notes."""
        return self.folder / kind / f"{self.name}.jsonl"

    @property
    def role(self) -> str:
        """Its name but for the network: who has the same role in another network has the same chances and cursor."""
        return self.name.removesuffix(f"-{self.network}")

    @property
    def random(self) -> Random:
        """Chances of this incarnation, and of that of its role in another network."""
        return Random(f"{self.seed}:{self.role}:{self.incarnation}")  # noqa: S311 - chances, no secrets

    def entity(self, number: int) -> str:
        """Return the id of one of the entities, the same in each network: only so can networks be mixed up."""
        return str(uuid5(_SPACE, str(number)))


Client = Callable[[Task, threading.Event], None]


def run(client: Client, task: Task) -> None:
    """Be a client until SIGTERM asks it to end, or SIGKILL does not ask."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    client(task, stop)


def write(task: Task, stop: threading.Event) -> None:
    """Send messages; first once more the last one, if nobody knows what became of it."""
    random = task.random
    with task.engine() as engine:
        for intent in unanswered(task):
            send(engine, task, intent, stop)
        while not stop.is_set():
            send(engine, task, intend(task, random), stop)


def work(task: Task, stop: threading.Event) -> None:
    """Carry out what is due."""
    with task.engine() as engine:
        work_on(engine, stop)


def work_on(engine: Pachyderm, stop: threading.Event) -> None:
    """Carry out what is due, on an engine that others use too."""
    for _ in engine.work(stop=stop, concurrency=2):
        pass


def follow(task: Task, stop: threading.Event) -> None:
    """Note every event, and take the cursor along, now after one, now after several."""
    with task.engine() as engine:
        follow_on(engine, task, stop)


def follow_on(engine: Pachyderm, task: Task, stop: threading.Event) -> None:
    """Follow on an engine that others use too."""
    random = task.random
    note(task.file("followers"), {"note": "begin"})
    with engine.follow(cursor=task.role, stop=stop) as log:
        for event in log:
            _note_seen(task, event)
            if random.random() < 0.2 or log.is_caught_up:
                _commit(task, log, event)


def finish(task: Task) -> None:
    """Send once more what nobody knows the outcome of, and some of what was answered, by its id."""
    with task.engine() as engine:
        for intent in unanswered(task):
            send(engine, task, intent, threading.Event())
        for intent in _some_answered(task):
            _send_again(engine, task, intent)


def drain(task: Task, seconds: float = 60) -> None:
    """Carry out everything, also what dead workers still hold. Raises SystemExit where that does not end."""
    with task.engine() as engine:
        end = time.monotonic() + seconds
        while next(iter(engine.effects(status="pending")), None) is not None:
            if time.monotonic() > end:
                raise SystemExit(f"the outbox of {task.network} is not empty after {seconds:g} seconds")
            for _ in engine.work(once=True, concurrency=4):
                pass
            time.sleep(0.05)


def follow_to_the_end(task: Task) -> None:
    """Note what a follower has not seen yet, once a dead one's lease has run out."""
    end = time.monotonic() + 3 * LEASE
    note(task.file("followers"), {"note": "begin"})
    with task.engine() as engine:
        while True:
            try:
                log = engine.follow(cursor=task.role, wait=False)
                break
            except CursorHeld:
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)
        with log:
            for event in log:
                _note_seen(task, event)
                if log.is_caught_up:
                    _commit(task, log, event)


def unanswered(task: Task) -> list[dict[str, Any]]:
    """Return what a client began and was told nothing of."""
    begun: dict[str, dict[str, Any]] = {}
    for each in notes(task.file("clients")):
        if each["note"] == "begin":
            begun[each["id"]] = each
        elif each["note"] == "end":
            begun.pop(each["id"], None)
    return list(begun.values())


def _some_answered(task: Task) -> list[dict[str, Any]]:
    """Return some of the messages whose outcome is known and for good: a quiet one may be answered anew."""
    begun = {each["id"]: each for each in notes(task.file("clients")) if each["note"] == "begin"}
    answered = [begun[each["id"]] for each in notes(task.file("clients")) if each["note"] == "end"]
    lasting = [each for each in answered if not each["message"]["quiet"]]
    return task.random.sample(lasting, min(_AGAIN, len(lasting)))


def _send_again(engine: Pachyderm, task: Task, intent: dict[str, Any]) -> None:
    """Send once more what was answered before, and note what is told of it now."""
    told: dict[str, Any] = {"version": None, "duplicate": None}
    with suppress(Rejected):
        reference = f"account:{intent['entity']}"
        sent = engine.send(reference, "put", intent["message"], message_id=intent["id"])
        told = {"version": sent.version, "duplicate": sent.duplicate}
    note(task.file("clients"), {"note": "again", "id": intent["id"], **told})


def _note_seen(task: Task, event: RecordedEvent) -> None:
    seen = {"network": task.network, "position": event.position, "entity": str(event.entity.id)}
    note(task.file("followers"), {"note": "seen", **seen, "version": event.version})


def _commit(task: Task, log: Following, event: RecordedEvent) -> None:
    """Take the cursor along behind that event, and note it before and after: who is killed between may have done it."""
    note(task.file("followers"), {"note": "committing", "position": event.position})
    log.commit()
    note(task.file("followers"), {"note": "committed", "position": event.position})


def intend(task: Task, random: Random) -> dict[str, Any]:
    """Return a message that is about to be sent, noted as such: the same chances give each network another one."""
    message_id = str(UUID(int=random.getrandbits(128), version=4))
    random = Random(f"{message_id}:{task.network}")  # noqa: S311 - chances, no secrets
    giver, taker = random.randrange(task.entities), random.randrange(task.entities)
    message = {
        "network": task.network,
        "amount": 0 if random.random() < 0.05 else random.randrange(1, 1000),
        "parts": random.choice((1, 1, 1, 2, 3)),
        "quiet": random.random() < 0.05,
        "ring": random.random() < 0.2,
        "whisper": random.random() < 0.1,
        "give_to": task.entity(taker) if random.random() < 0.2 and taker != giver else None,
    }
    intent = {"network": task.network, "entity": task.entity(giver), "id": message_id, "message": message}
    note(task.file("clients"), {"note": "begin", **intent, "at": time.monotonic()})
    return intent


def send(engine: Pachyderm, task: Task, intent: dict[str, Any], stop: threading.Event) -> None:
    """Send a message until something is known of it, and note that; what failed is noted too."""
    outcome: Sent | Rejected
    first = time.monotonic()
    while True:
        began = time.monotonic()
        try:
            reference = f"account:{intent['entity']}"
            outcome = engine.send(reference, "put", intent["message"], message_id=intent["id"])
        except Rejected as rejected:
            outcome = rejected
        except StoreError as error:
            note_failure(task, intent, error, began)
            if stop.wait(0.1):
                return
            continue
        note_outcome(task, intent, outcome, first)
        return


def note_outcome(task: Task, intent: dict[str, Any], outcome: Sent | Rejected, began: float) -> None:
    """Note what a client was told of a message, with what an answer that adds nothing says that it saw."""
    if isinstance(outcome, Rejected):
        note_end(task, intent, None, began, saw=[outcome.details["count"], outcome.details["sum"]])
        return
    saw = None
    if intent["message"]["quiet"]:
        saw = [outcome.state.count, outcome.state.sum]
    note_end(task, intent, outcome.version, began, duplicate=outcome.duplicate, saw=saw)


def note_end(task: Task, intent: dict[str, Any], version: int | None, began: float, **told: Any) -> None:
    """Note what a client was told of a message that it first tried then: the version, or None where it was rejected."""
    at = time.monotonic()
    took = round(at - began, 4)
    note(task.file("clients"), {"note": "end", "id": intent["id"], "version": version, "took": took, "at": at, **told})


def note_failure(task: Task, intent: dict[str, Any], error: StoreError, began: float) -> None:
    """Note that the store failed: nobody knows what became of the message."""
    took = round(time.monotonic() - began, 4)
    note(task.file("clients"), {"note": "failed", "id": intent["id"], "error": str(error), "took": took})
