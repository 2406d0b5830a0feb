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
_TOGETHER = 2
_PATIENCE = 120  # seconds that a fuzzer may take longer than it was told to


def on_all(run: Run) -> Figure:
    """Fuzz every target for a while, two at a time; no breach, no crash, no input that takes for ever."""
    if find_spec("atheris") is None:
        told = (
            f"atheris, the fuzzer, is not to be had for Python {sys.version_info.major}.{sys.version_info.minor} here"
        )
        return Figure(NAME, {}, skipped=told)
    folder = run.folder("fuzz")
    seconds = run.size(45, quick=4)
    breaches: list[Breach] = []
    runs = 0
    names = list(TARGETS)
    for at in range(0, len(names), _TOGETHER):
        started = [(name, _start(folder / name, name, seconds, run.seed)) for name in names[at : at + _TOGETHER]]
        for name, process in started:
            found, done = _came_of(folder / name, name, process, seconds)
            breaches += found
            runs += done
        run.progress(min(at + _TOGETHER, len(names)), len(names))
    return Figure(NAME, {"inputs": runs, "targets": len(names), "seconds for each": seconds}, breaches)


def _start(folder: Path, name: str, seconds: int, seed: int) -> subprocess.Popen[bytes]:
    folder.mkdir()
    line = [sys.executable, "-W", "ignore", "-m", "torture.fuzz", name, str(folder)]
    told = ["--seconds", str(seconds), "--seed", str(seed % 2**31 or 1)]
    with (folder / "fuzzer.txt").open("wb") as output:
        return subprocess.Popen([*line, *told], stdout=output, stderr=output)


def _came_of(folder: Path, name: str, process: subprocess.Popen[bytes], seconds: int) -> tuple[list[Breach], int]:
    """Wait for a fuzzer; return the breaches that it found, and how many inputs it tried."""
    try:
        status: int | str = process.wait(timeout=seconds + _PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        status = "none: it went on for ever"
    said = (folder / "fuzzer.txt").read_text(errors="replace")
    ended = _RUNS.search(said)
    breaches = [
        Breach(f"fuzzed_{name}", f"{each['what']} (input {each['input'][:200]})")
        for each in notes(folder / "notes.jsonl")
    ]
    if status != 0 or ended is None:
        breaches.append(Breach(f"fuzzed_{name}", f"the fuzzer ended with {status}: {said[-500:]}"))
    return breaches, 0 if ended is None else int(ended[1])
