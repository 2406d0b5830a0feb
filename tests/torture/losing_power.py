"""Lose power at some points of a recorded load, on an honest disk and on one that never syncs; print what was found."""

import json
import sys
from pathlib import Path
from random import Random

from torture.faults.vfs import Recorder
from torture.scenarios.power_loss import load, lose_power

folder = Path(sys.argv[1])
try:
    recorder = Recorder()
except OSError as error:
    sys.stdout.write(json.dumps({"skipped": str(error)}))
    sys.exit()
answers = load(recorder, folder, seed=1, sends=40)
operations = list(recorder.operations)
found = {}
for name, syncs in (("honest", True), ("lying", False)):
    breaches, points = lose_power(operations, answers, folder, Random(1), 40, syncs=syncs)  # noqa: S311 - chances
    found[name] = {"points": points, "laws": sorted({breach.law for breach in breaches})}
sys.stdout.write(json.dumps(found))
