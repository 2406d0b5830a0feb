"""Running the real command, or any other, as a process of its own: how long it took, what it wrote, its memory."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from benchmarks.contenders.contender import WrongOutcome
from benchmarks.places import PROJECT, ROOT

_PEAK = ROOT / "benchmarks" / "peak_memory.py"


@dataclass(frozen=True)
class Peak:
    """What a process came to: its memory at most, and the lines that it wrote to standard output."""

    megabytes: float
    lines: int


def pachyderm(*arguments: str) -> list[str]:
    """Return the command as it is installed beside this Python, or as a module where it is not."""
    installed = Path(sys.executable).parent / "pachyderm"
    return [*([str(installed)] if installed.exists() else [sys.executable, "-m", "pachyderm_cli"]), *arguments]


def on_store(store: str, *arguments: str) -> list[str]:
    """Return the command for the benchmark's project on a store."""
    return pachyderm("--project", str(PROJECT), "--store", store, *arguments)


def milliseconds(command: list[str], expected: str = "", environment: dict[str, str] | None = None) -> float:
    """Return how long the process takes. Raises WrongOutcome if it fails, or writes no `expected` text."""
    begun = perf_counter()
    done = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    taken = (perf_counter() - begun) * 1000
    if done.returncode != 0 or expected not in done.stdout:
        raise WrongOutcome(f"{command} gave {done.returncode}: {done.stdout[:500]}{done.stderr[:500]}")
    return taken


def peak(command: list[str]) -> Peak:
    """Return the memory of the process at most. Raises WrongOutcome if it fails."""
    # A process begins with the peak of who started it, so a small one has to.
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(_PEAK), *command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise WrongOutcome(f"{command} gave {done.returncode}: {done.stderr[:500]}")
    told = json.loads(done.stdout)
    return Peak(told["kilobytes"] / 1024, told["lines"])


def settings_of(store: str, *arguments: str) -> str:
    """Run the command once, unmeasured, and return the durable settings of the connections that it used."""
    database = store.removeprefix("sqlite:///")
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.command_settings", database, *on_store(store, *arguments)[1:]],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise WrongOutcome(f"{arguments} gave {done.returncode}: {done.stderr[:500]}")
    return done.stderr.strip().splitlines()[-1]
