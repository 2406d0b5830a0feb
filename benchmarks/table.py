"""`python -m benchmarks.table FILE`: what a run compared as a Markdown table, for docs/performance.md."""

import json
import sys
from pathlib import Path
from typing import Any

_HEAD = """| figure | compared | measured | ratio (median) | lowest to highest | to reach | reached |
| --- | --- | --- | --- | --- | --- | --- |"""


def table(results: dict[str, Any]) -> str:
    """Return a row for each comparison of the run; `measured` is what it compares with something."""
    return "\n".join([_HEAD, *(row for figure in results["figures"] for row in _rows(figure))])


def _rows(figure: dict[str, Any]) -> list[str]:
    measured = {series["name"]: series for series in figure["series"]}
    rows = []
    for number, each in enumerate(figure["comparisons"]):
        of = measured[each["name"].split(" / ")[0].split(" - ")[0]]
        bound = each["at_least"] if each["at_least"] is not None else each["at_most"]
        sign = ">=" if each["at_least"] is not None else "<="
        reached = "" if bound is None else "yes" if each["reached"] else "**no**"
        cells = (
            figure["title"] if number == 0 else "",
            each["name"].replace("python -c 'import typer, rich.console, pydantic, sqlalchemy'", "the libraries"),
            f"{_number(of['median'])} {of['unit']}",
            _number(each["median"]),
            f"{_number(each['min'])} to {_number(each['max'])}",
            "" if bound is None else f"{sign} {bound:,}",
            reached,
        )
        rows.append(f"| {' | '.join(cells)} |")
    return rows


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


if __name__ == "__main__":
    print(table(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
