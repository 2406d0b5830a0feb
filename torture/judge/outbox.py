"""What is to be done for the events of clients' messages is queued, and nothing is queued without its events."""

from collections import Counter
from collections.abc import Iterator

from torture.judge.history import History

RING = "Ring"


def what_is_to_be_done_is_queued(history: History) -> Iterator[str]:
    """Each message in the log that asked for a ring has one in the outbox, at its last event, and no other has."""
    intents = {(each.network, each.message_id): each for each in history.intents}
    wanted = Counter(
        (rows[-1].whose, rows[-1].version)
        for key, rows in history.by_message().items()
        if key in intents and intents[key].message["ring"]
    )
    queued = Counter(((each.network, each.entity), each.version) for each in history.outbox if each.type == RING)
    for at, count in (wanted - queued).items():
        yield f"{at} is in the log, and its ring is {queued[at]} times in the outbox, not {queued[at] + count} times"
    for at, count in (queued - wanted).items():
        yield f"the outbox has {count} rings at {at} that nothing in the log asked for"
