"""Running a command for each event, until it succeeds."""

from __future__ import annotations

import random
import signal
import subprocess
import threading

from pachyderm_cli.cli import serialize
from pachyderm_cli.cli.json_text import to_json
from pachyderm_cli.cli.output import note
from pachyderm_cli.errors import EffectFailed
from pachyderm_cli.store.records import RecordedEvent

_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 60.0  # seconds
_SAME_SIGNAL = 0.5  # seconds; Ctrl-C signals the command too, and that may end before it is known here
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_INTERRUPTED = {-each for each in _SIGNALS} | {128 + each for each in _SIGNALS}  # the second as a shell tells it


class Execution:
    """A shell command that is given one event after the other on its standard input."""

    def __init__(self, command: str, max_attempts: int | None, stop: threading.Event) -> None:
        """Try each event so often, or until `stop` is set."""
        self._command = command
        self._max_attempts = max_attempts
        self._stop = stop

    def run(self, event: RecordedEvent) -> bool:
        """Run the command until it exits with 0; tell whether it did, before it was to stop.

        Raises EffectFailed after the last attempt.
        """
        attempt = 1
        while True:
            exit_code = self._exit_code(event)
            if exit_code == 0:
                return True
            if self._stop.wait(_SAME_SIGNAL if exit_code in _INTERRUPTED else 0):
                return False
            told = f"the command {_ended(exit_code)} for {event.type} of {event.entity} at position {event.position}"
            if attempt == self._max_attempts:
                raise EffectFailed(
                    f"{told}, {attempt} times; nothing after that event was begun",
                    position=event.position,
                    entity=str(event.entity),
                    version=event.version,
                    attempts=attempt,
                    exit_code=exit_code,
                )
            pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** min(attempt - 1, 20))
            note(f"{told}; attempt {attempt + 1} in {pause:g} s")
            if self._stop.wait(pause * random.uniform(0.8, 1)):  # noqa: S311 - only to spread attempts
                return False
            attempt += 1

    def _exit_code(self, event: RecordedEvent) -> int:
        # A shell, as whoever writes a command expects; of the event nothing gets to it but on the standard input.
        done = subprocess.run(  # noqa: S602 - as said  # nosec B602
            self._command, shell=True, input=to_json(serialize.event(event)) + "\n", encoding="utf-8", check=False
        )
        return done.returncode


def _ended(exit_code: int) -> str:
    return f"exited with {exit_code}" if exit_code >= 0 else f"was ended by signal {-exit_code}"
