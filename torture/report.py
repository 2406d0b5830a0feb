"""What came of the scenarios, as lines and as the table in docs/reliability.md."""

import re
from pathlib import Path

from torture.figure import Figure

PAGE = Path(__file__).parent.parent / "docs" / "reliability.md"
_TABLE = re.compile(r"(<!-- torture -->\n).*?(<!-- /torture -->)", re.DOTALL)
_SHOWN = 5  # breaches of a scenario


def line(figure: Figure, seconds: float) -> str:
    """Return what came of a scenario, with its first breaches."""
    if figure.skipped:
        return f"{figure.name}: not run: {figure.skipped}"
    numbers = ", ".join(
        f"{value:,} {name}" if isinstance(value, int) else f"{name} {value}" for name, value in figure.numbers.items()
    )
    verdict = "every promise kept" if not figure.breaches else f"{len(figure.breaches)} BREACHES"
    found = [f"\n  {breach.law}: {breach.what}" for breach in figure.breaches[:_SHOWN]]
    return f"{figure.name}: {verdict}; {numbers} ({seconds:.0f} s){''.join(found)}"


def write(figures: list[Figure], seed: int) -> None:
    """Put the figures into the page, between its marks."""
    rows = [f"| {figure.name} | {_verdict(figure)} | {_numbers(figure)} |" for figure in figures]
    table = "\n".join(
        ["| scenario | promises broken | figures |", "| --- | --- | --- |", *rows, "", f"Seed {seed}.", ""]
    )
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(_TABLE.sub(lambda found: f"{found[1]}{table}{found[2]}", page), encoding="utf-8")


def _verdict(figure: Figure) -> str:
    return f"not run: {figure.skipped}" if figure.skipped else str(len(figure.breaches) or "none")


def _numbers(figure: Figure) -> str:
    return ", ".join(
        f"{name}: {value:,}" if isinstance(value, int) else f"{name}: {value}" for name, value in figure.numbers.items()
    )
