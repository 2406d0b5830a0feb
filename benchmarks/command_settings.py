"""Run the `pachyderm` command in this process, and tell the durable settings of its connections on standard error."""

import sys

from benchmarks.durability import read_back
from pachyderm_cli import Pachyderm
from pachyderm_cli.cli.app import run


def main(database: str, arguments: list[str]) -> int:
    """Run the command as it is; just before it closes its connections, read them back."""
    found: list[str] = []
    close = Pachyderm.close

    def close_after_reading(self: Pachyderm) -> None:
        found.append(read_back(database))
        close(self)

    Pachyderm.close = close_after_reading  # type: ignore[method-assign]  # the one moment when they are all open
    status = run(arguments)
    sys.stderr.write("\n".join(found) + "\n")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
