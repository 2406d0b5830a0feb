"""`python -m torture.fuzz FOLDER --seconds N --seed N [--only TARGET]`: fuzz the targets, and note what came of each.

What is fuzzed is instrumented when it is imported, which takes its time: one process does it, and each target is
fuzzed in a fork of that, which the fuzzer ends by itself. A target's folder gets what its fuzzer prints, and
notes.jsonl with a line for each breach; the folder's own notes.jsonl has how each ended.
"""

import argparse
import base64
import os
import sys
import traceback
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from torture.load.notes import note

INSTRUMENTED = [
    "pachyderm_cli.domain",
    "pachyderm_cli.config",
    "pachyderm_cli.project",
    "pachyderm_cli.store",
    "tomllib",
]
_SHOWN = 20  # breaches of a target; no more are told
_LONGEST = 4096  # bytes of an input
_TOGETHER = 2


def main(arguments: list[str]) -> None:
    """Fuzz every target for so many seconds, two at a time."""
    options = _options(arguments)
    atheris: Any = import_module("atheris")  # an extra, which not every system has
    with atheris.instrument_imports(include=INSTRUMENTED, enable_loader_override=False):
        targets = import_module("torture.fuzz.targets").TARGETS
    names = options.only or list(targets)
    for at in range(0, len(names), _TOGETHER):
        started = {}
        for name in names[at : at + _TOGETHER]:
            process = os.fork()
            if process == 0:
                _fuzz(atheris, targets[name], options.folder / name, options.seconds, options.seed)
            started[name] = process
        for name, process in started.items():
            status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
            note(options.folder / "notes.jsonl", {"target": name, "status": status})


def _fuzz(atheris: Any, target: Any, folder: Path, seconds: int, seed: int) -> NoReturn:
    try:
        corpus = folder / "corpus"
        corpus.mkdir(parents=True)
        for number, text in enumerate(target.seeds):
            (corpus / str(number)).write_bytes(text)
        output = os.open(folder / "fuzzer.txt", os.O_CREAT | os.O_WRONLY, 0o600)
        os.dup2(output, 1)
        os.dup2(output, 2)
        given = [f"-max_total_time={seconds}", f"-seed={seed}", f"-max_len={_LONGEST}", "-timeout=20"]
        told = ["-print_final_stats=1", "-verbosity=0", f"-artifact_prefix={folder}/"]
        atheris.Setup([sys.argv[0], *given, *told, str(corpus)], Trial(target, folder))
        atheris.Fuzz()  # which ends the process
    except BaseException:  # noqa: BLE001 - whatever it is, the parent is told by the status
        traceback.print_exc()
    os._exit(1)


class Trial:
    """Gives each input to a target, and notes what comes out of it; each place of a fault once."""

    def __init__(self, target: Any, folder: Path) -> None:
        """Note into that folder."""
        self._target = target
        self._notes = folder / "notes.jsonl"
        self._places: set[tuple[str, str]] = set()

    def __call__(self, data: bytes) -> None:
        """Read an input."""
        try:
            self._target.read(data)
        except Exception as error:  # noqa: BLE001 - whatever comes out is a breach
            self._tell(data, error)

    def _tell(self, data: bytes, error: Exception) -> None:
        last = traceback.extract_tb(error.__traceback__)[-1]
        place = (f"{type(error).__name__}: {error}"[:60], f"{last.filename}:{last.lineno}")
        if place in self._places or len(self._places) >= _SHOWN:
            return
        self._places.add(place)
        told = f"{type(error).__name__}: {str(error)[:300]} at {Path(last.filename).name}:{last.lineno}"
        note(self._notes, {"what": told, "input": base64.b64encode(data).decode()})


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m torture.fuzz", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="+", metavar="TARGET")
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
