"""Whether what a scenario claims to do was done: a fault that never happened shows nothing."""

from collections.abc import Mapping

from torture.judge.laws import Breach


def the_faults_happened(counts: Mapping[str, int]) -> list[Breach]:
    """Return a breach for each kind of fault that was met not once: how often each was, by its name."""
    return [Breach(the_faults_happened.__name__, f"{name}: none") for name, count in counts.items() if not count]
