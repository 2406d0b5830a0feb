"""`pachyderm init`: a small project that runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pachyderm_cli.cli.session import JsonOption
from pachyderm_cli.errors import UsageError

_TEMPLATE = Path(__file__).resolve().parent.parent / "template"
_FILES = {
    "pachyderm.toml": "pachyderm.toml",
    "entities/counter.py": "entities/counter.py",
    "tests/test_counter.py": "tests/test_counter.py",
    ".gitignore": "gitignore",
}


def init(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="Where; it is made if need be.")] = Path(),
    as_json: JsonOption = False,
) -> None:
    """Write a small project that runs.

    A configuration, a counter and its test. A file that is there already is kept as it is.

    Example: pachyderm init demo && cd demo && pachyderm send counter:new increment
    """
    from pachyderm_cli.cli.output import Line, emit  # noqa: PLC0415 - see the package's docstring

    outcome = {name: _write(folder / name, _TEMPLATE / source) for name, source in _FILES.items()}

    def lines(result: dict[str, bool]) -> list[Line]:
        return [
            (("created  " if created else "kept     ", "green" if created else "yellow"), (str(folder / name), ""))
            for name, created in result.items()
        ]

    def serialize(result: dict[str, bool]) -> dict[str, object]:
        return {
            "project": str(folder.resolve()),
            "created": [name for name, created in result.items() if created],
            "kept": [name for name, created in result.items() if not created],
        }

    emit(outcome, as_json, serialize, lines)


def _write(path: Path, source: Path) -> bool:
    """Write the file unless there is one; return whether it was written. Raises UsageError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(source.read_text(encoding="utf-8"))
    except FileExistsError:
        if path.exists() or path.is_symlink():
            return False
        raise UsageError(f"{path} cannot be written: {path.parent} is not a folder") from None
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be written: {error}") from error
    return True


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(init)
