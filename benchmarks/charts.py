"""`python -m benchmarks.charts FILE`: the growth figures of a run as Mermaid charts, for docs/performance.md."""

import json
import sys
from pathlib import Path
from typing import Any

_GROWTH = ("growth-entity-sqlite", "growth-store-sqlite")


def charts(results: dict[str, Any]) -> list[str]:
    """Return a chart for each growth figure that the run has: events across, milliseconds up."""
    found = [each for each in results["figures"] if each["name"] in _GROWTH]
    return [_chart(each) for each in found]


def _chart(figure: dict[str, Any]) -> str:
    lines: dict[str, dict[str, float]] = {}
    for series in figure["series"]:
        kind, _, events = series["name"].partition(", ")
        size = events.removesuffix(" events").removeprefix("store of ")
        lines.setdefault(kind, {})[size] = series["median"]
    sizes = list(next(iter(lines.values())))
    highest = max(value for line in lines.values() for value in line.values())
    drawn = "\n".join(f"    line [{', '.join(f'{line[size]:.3f}' for size in sizes)}]" for line in lines.values())
    across = ", ".join(f'"{size}"' for size in sizes)
    return (
        f'```mermaid\nxychart-beta\n    title "{figure["title"]}"\n    x-axis "events" [{across}]\n'
        f'    y-axis "ms" 0 --> {1.2 * highest:.2f}\n{drawn}\n```'
    )


if __name__ == "__main__":
    print("\n\n".join(charts(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))))
