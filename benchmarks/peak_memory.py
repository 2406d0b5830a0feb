"""Run a command; write its peak memory, and how many lines it wrote, as JSON.

A program of its own, and a small one: a process inherits the peak of the one that starts it.
"""

import json
import os
import subprocess
import sys


def main(command: list[str]) -> int:
    """Run `command` and return its exit status."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    lines = 0
    if process.stdout is not None:
        while block := process.stdout.read(1 << 16):
            lines += block.count(b"\n")
    _, status, used = os.wait4(process.pid, 0)
    scale = 1024 if sys.platform == "darwin" else 1  # macOS counts bytes, Linux kilobytes
    print(json.dumps({"kilobytes": used.ru_maxrss / scale, "lines": lines}))
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
