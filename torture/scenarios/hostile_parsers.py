"""Hostile parsers: everything that reads text, and what writes it, under a coverage-guided fuzzer."""

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from torture.figure import Figure, Run
from torture.fuzz.targets import TARGETS
from torture.judge.laws import Breach
from torture.load.notes import notes

NAME = "hostile input, parsers"
_RUNS = re.compile(r"number_of_executed_units: +(\d+)")
_PATIENCE = 300  # seconds that all may take longer than they were told to


def on_all(run: Run) -> Figure:
    """Fuzz every target for a while; no breach, no crash, no input that takes for ever."""
    if find_spec("atheris") is None:
        why = f"atheris, the fuzzer, is not to be had for Python {sys.version_info.major}.{sys.version_info.minor} here"
        return Figure(NAME, {}, skipped=why)
    folder = run.folder("fuzz")
    seconds = run.size(40, quick=3)
    line = [sys.executable, "-W", "ignore", "-m", "torture.fuzz", str(folder)]
    told = ["--seconds", str(seconds), "--seed", str(run.seed % 2**31 or 1)]
    try:
        with (folder / "output.txt").open("wb") as output:  # which module is instrumented, each on a line
            patience = seconds * len(TARGETS) + _PATIENCE
            subprocess.run([*line, *told], check=False, stdout=output, stderr=output, timeout=patience)
    except subprocess.TimeoutExpired:
        return Figure(NAME, {}, [Breach("it_comes_to_an_end", f"{seconds} seconds for each were not enough")])
    statuses = {each["target"]: each["status"] for each in notes(folder / "notes.jsonl")}
    breaches, inputs = [], 0
    for name in TARGETS:
        found, done = came_of(folder / name, name, statuses.get(name))
        breaches += found
        inputs += done
    return Figure(NAME, {"inputs": inputs, "targets": len(TARGETS), "seconds for each": seconds}, breaches)


def came_of(folder: Path, name: str, status: int | None) -> tuple[list[Breach], int]:
    """Return the breaches that a target's fuzzer found, how it ended among them, and how many inputs it tried."""
    breaches = [
        Breach(f"fuzzed_{name}", f"{each['what']} (input {each['input'][:200]})")
        for each in notes(folder / "notes.jsonl")
    ]
    output = folder / "fuzzer.txt"
    said = output.read_text(errors="replace") if output.exists() else ""
    ended = _RUNS.search(said)
    if status != 0 or ended is None:
        breaches.append(Breach(f"fuzzed_{name}", f"the fuzzer ended with {status}: {said[-500:]}"))
    return breaches, 0 if ended is None else int(ended[1])
