"""How soon clients go on once a fault is over, and what they were refused meanwhile."""

from collections import Counter
from collections.abc import Iterator

from pachyderm_cli.store.patience import WAIT_SECONDS
from torture.judge.laws import Breach
from torture.load.cast import SENDERS, Cast, wait_for_sends
from torture.load.notes import notes

MOST_SECONDS = 10
"""Until every writer is to be told something new, from when the server can serve again; in a full run."""
HANGS = 60
"""As long in a bounded run, which is to judge pachyderm and not what else the machine does at the moment."""


class Recoveries:
    """The times that it took every writer to go on, each after a fault."""

    def __init__(self, everybody: Cast, most_seconds: int) -> None:
        """Begin with none, of which each may take so long."""
        self._everybody = everybody
        self._most_seconds = most_seconds
        self.took: list[tuple[float, str]] = []

    def wait(self) -> None:
        """Wait until every writer is at work, which is no recovery. Raises SystemExit where one hangs."""
        wait_for_sends(self._everybody)

    def measure(self, fault: str) -> None:
        """Wait until every writer was told something new, once a fault is over. Raises SystemExit where one hangs."""
        self.took.append((wait_for_sends(self._everybody), fault))

    def told(self) -> dict[str, object]:
        """Return what is to be told of them, and of the sends that were refused, by the error's text."""
        refused = Counter(error for error, _ in self._refused())
        texts = {f"refused as '{text.replace('|', '/')[:100]}'": count for text, count in refused.most_common(3)}
        return {
            "recoveries": len(self.took),
            "slowest recovery": f"{max(self.took)[0]:.1f} s" if self.took else "none",
            **texts,
        }

    def breaches(self) -> Iterator[Breach]:
        """Yield what took too long, and what was refused before an engine has waited as long as it promises to."""
        if not self.took:
            yield Breach("clients_go_on", "no recovery was measured")
        for took, fault in self.took:
            if took > self._most_seconds:
                yield Breach("clients_go_on", f"it took {took:.1f} s until every writer went on after {fault}")
        for error, took in self._refused():
            if took < WAIT_SECONDS:
                yield Breach("an_engine_waits", f"a send was refused after {took:.1f} s: {error}")

    def _refused(self) -> list[tuple[str, float]]:
        files = [task.file("clients") for client, task in self._everybody if client in SENDERS]
        return [(each["error"], each["took"]) for file in files for each in notes(file) if each["note"] == "failed"]
