"""Measuring in turns: short ones, in an order that changes, so that what drifts on the machine meets all alike."""

import gc
from collections.abc import Callable, Mapping
from time import perf_counter

from benchmarks.results import Series


def alternate(turns: Mapping[str, Callable[[], float]], unit: str, rounds: int) -> dict[str, Series]:
    """Run every turn once in each round, and return the values that they gave, by name.

    The order is turned by one with each round, and reversed in every other one, so that nobody always follows the
    same neighbour. The garbage of one is collected before the next.
    """
    names = list(turns)
    values: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds):
        start = number % len(names)
        order = names[start:] + names[:start]
        for name in reversed(order) if number % 2 else order:
            gc.collect()
            values[name].append(turns[name]())
    return {name: Series(name, unit, tuple(values[name])) for name in names}


def seconds(action: Callable[[], object]) -> float:
    """Return how long `action` takes."""
    begun = perf_counter()
    action()
    return perf_counter() - begun


def rate(count: int, action: Callable[[], object]) -> float:
    """Return how many a second `action` does, when it does `count`."""
    return count / seconds(action)
