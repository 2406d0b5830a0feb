"""The `pachyderm` command, and `python -m pachyderm_cli`."""

import gc
from typing import NoReturn


def main() -> NoReturn:
    """Run the command that the process's arguments name, and exit with its status."""
    # A command makes many objects that stay, and few cycles. To look for those as often as Python does by default, and
    # once more at exit, takes a fifth of a short command's time.
    gc.set_threshold(100_000, 20, 100)
    try:
        from pachyderm_cli.cli.app import main as run  # noqa: PLC0415 - not before

        run()
    finally:
        gc.freeze()


if __name__ == "__main__":
    main()
