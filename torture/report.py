"""What came of the scenarios, as lines and as the table in docs/reliability.md."""

import re
from pathlib import Path

from torture.figure import Figure

PAGE = Path(__file__).parent.parent / "docs" / "reliability.md"
_TABLE = re.compile(r"(<!-- torture -->\n)(.*?)(?=<!-- /torture -->)", re.DOTALL)
_SHOWN = 5  # breaches of a scenario


def line(figure: Figure, seconds: float) -> str:
    """Return what came of a scenario, with its first breaches."""
    if figure.skipped:
        return f"{figure.name}: not run: {figure.skipped}"
    numbers = ", ".join(
        f"{value:,} {name}" if isinstance(value, int) else f"{name} {value}" for name, value in figure.numbers.items()
    )
    verdict = "every promise kept" if not figure.breaches else f"{len(figure.breaches)} BREACHES"
    numbers += f"; left out: {figure.left_out}" if figure.left_out else ""
    found = [f"\n  {breach.law}: {breach.what}" for breach in figure.breaches[:_SHOWN]]
    return f"{figure.name}: {verdict}; {numbers} ({seconds:.0f} s){''.join(found)}"


def write(figure: Figure, seed: int) -> None:
    """Put a figure into the page's table, in the place of an earlier one of that name."""
    page = PAGE.read_text(encoding="utf-8")
    found = _TABLE.search(page)
    assert found is not None  # noqa: S101 - the page is ours
    rows = {line.split(" | ")[0].strip("| "): line for line in found[2].splitlines()[2:] if line.startswith("|")}
    rows[figure.name] = f"| {figure.name} | {_verdict(figure)} | {seed} | {_numbers(figure)} |"
    table = "\n".join(
        ["| scenario | promises broken | seed | figures |", "| --- | --- | --- | --- |", *rows.values(), ""]
    )
    PAGE.write_text(page[: found.start(2)] + table + page[found.end(2) :], encoding="utf-8")


def _verdict(figure: Figure) -> str:
    return f"not run: {figure.skipped}" if figure.skipped else str(len(figure.breaches) or "none")


def _numbers(figure: Figure) -> str:
    numbers = ", ".join(
        f"{name}: {value:,}" if isinstance(value, int) else f"{name}: {value}" for name, value in figure.numbers.items()
    )
    return numbers + (f"; left out: {figure.left_out}" if figure.left_out else "")
