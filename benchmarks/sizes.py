"""How much is measured: a full run for the record, a quick one for every day."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Sizes:
    """How many of everything; a round is one turn of every contender."""

    rounds: int
    sends: int  # a turn of one sender
    entities: int
    thread_sends: int  # a turn of 64 threads together
    process_sends: int  # a turn of one process
    jobs: int  # that one worker process drains in a turn
    drain_rounds: int
    file_messages: int
    file_rounds: int
    cold_events: int
    cold_rounds: int
    long_events: int
    process_rounds: int  # whole processes, each under a second
    store_events: int
    memory_events: int


FULL = Sizes(
    rounds=9,
    sends=300,
    entities=100,
    thread_sends=1280,
    process_sends=300,
    jobs=1000,
    drain_rounds=7,
    file_messages=100_000,
    file_rounds=3,
    cold_events=100_000,
    cold_rounds=5,
    long_events=100_000,
    process_rounds=15,
    store_events=5_000_000,
    memory_events=1_000_000,
)

QUICK = Sizes(
    rounds=4,
    sends=100,
    entities=100,
    thread_sends=640,
    process_sends=60,
    jobs=200,
    drain_rounds=2,
    file_messages=5_000,
    file_rounds=2,
    cold_events=20_000,
    cold_rounds=2,
    long_events=20_000,
    process_rounds=3,
    store_events=200_000,
    memory_events=50_000,
)
