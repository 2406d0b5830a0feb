"""Power loss: nothing acknowledged is missing after it, and what judges that can tell."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_nothing_acknowledged_is_lost_with_the_power(tmp_path: Path) -> None:
    """At many points of a load, from the first write to a new file on; on a disk that never syncs much is missing."""
    done = subprocess.run(  # a process of its own: what watches SQLite's files is there for good
        [sys.executable, "-m", "tests.torture.losing_power", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=250,
        check=True,
    )
    found = json.loads(done.stdout)
    if "skipped" in found:
        pytest.skip(found["skipped"])
    assert found["honest"] == {"points": 40, "laws": []}
    assert "nothing_acknowledged_is_missing" in found["lying"]["laws"]
