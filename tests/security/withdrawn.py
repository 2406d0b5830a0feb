"""Whether a pinned version was withdrawn: `python -m tests.security.withdrawn constraints.txt`.

An index keeps what its authors withdrew ("yanked"), so that who has pinned it can still install it, and pip says so.
Most are withdrawn because they are broken, few because they are dangerous: it is no list of vulnerabilities.
"""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

_TOLD = "is a yanked version"


def told_of(pins: Path) -> tuple[int, str]:
    """Return how pip ended that was to choose the versions of a file of pins, without installing any; and its words."""
    lines = [line for line in pins.read_text(encoding="utf-8").splitlines() if "==" in line]
    with TemporaryDirectory() as folder:
        wanted = Path(folder) / "wanted.txt"
        wanted.write_text("\n".join(lines), encoding="utf-8")
        pip = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--quiet", "--dry-run"]
        command = [*pip, "--ignore-installed", "--no-deps", "--requirement", str(wanted)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


def main(file: str) -> int:
    """Print what was withdrawn, and return the exit status: 0 if nothing was, and all could be asked for."""
    status, told = told_of(Path(file))
    withdrawn = [line.split(" at ")[0] for line in told.splitlines() if _TOLD in line]
    if withdrawn:
        print("\n".join(withdrawn))  # noqa: T201 - what it is for
        return 1
    if status != 0:
        print(f"the index cannot be asked: {told.strip().splitlines()[-1:]}", file=sys.stderr)  # noqa: T201 - as above
        return 2
    print("no pinned version was withdrawn")  # noqa: T201 - as above
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
