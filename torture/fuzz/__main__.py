"""`python -m torture.fuzz TARGET FOLDER --seconds N --seed N`: fuzz one target; what it finds goes into the folder.

A process of its own for each target: the fuzzer ends its process, and what is fuzzed is instrumented when it is
imported. The folder gets notes.jsonl, with a line for each breach; how many inputs there were the fuzzer prints in the end.
"""

import argparse
import base64
import sys
import traceback
from importlib import import_module
from pathlib import Path
from typing import Any

from torture.load.notes import note

INSTRUMENTED = ["pachyderm_cli", "tomllib", "json", "sqlalchemy.engine.url"]
_SHOWN = 20  # breaches; the rest is counted
_LONGEST = 4096  # bytes of an input


def main(arguments: list[str]) -> None:
    """Fuzz; never returns."""
    options = _options(arguments)
    atheris: Any = import_module("atheris")  # an extra, which not every system has
    with atheris.instrument_imports(include=INSTRUMENTED, enable_loader_override=False):
        target = import_module("torture.fuzz.targets").TARGETS[options.target]
    folder = Path(options.folder)
    corpus = folder / "corpus"
    corpus.mkdir()
    for number, text in enumerate(target.seeds):
        (corpus / str(number)).write_bytes(text)
    trial = Trial(target, folder)
    given = [f"-max_total_time={options.seconds}", f"-seed={options.seed}", f"-max_len={_LONGEST}", "-timeout=20"]
    quiet = ["-print_final_stats=1", "-verbosity=0", f"-artifact_prefix={folder}/"]
    atheris.Setup([sys.argv[0], *given, *quiet, str(corpus)], trial)
    atheris.Fuzz()


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
        place = (type(error).__name__, f"{last.filename}:{last.lineno}")
        if place in self._places or len(self._places) >= _SHOWN:
            return
        self._places.add(place)
        told = f"{place[0]}: {str(error)[:300]} at {Path(last.filename).name}:{last.lineno}"
        note(self._notes, {"what": told, "input": base64.b64encode(data).decode()})


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m torture.fuzz", description=__doc__)
    parser.add_argument("target")
    parser.add_argument("folder")
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
