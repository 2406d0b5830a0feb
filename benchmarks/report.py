"""Telling what was measured: one table as text, and the same as JSON."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.results import Comparison, Figure, Series

_HEADINGS = ("figure", "measured", "median", "min", "max", "unit", "target", "reached")
_RIGHT = range(2, 5)
_REACHED = {True: "yes", False: "NO", None: ""}


def header(machine: Mapping[str, str], settings: Mapping[str, str]) -> str:
    """Return the machine and the durable settings, a line each."""
    wide = max(map(len, machine))
    lines = [f"{name:{wide}}  {value}" for name, value in machine.items()]
    lines.append("durable settings as read back from every connection:")
    return "\n".join([*lines, *_grouped(settings)])


def table(figures: Sequence[Figure]) -> str:
    """Return the table."""
    rows: list[tuple[str, ...] | None] = [_HEADINGS, None]
    for figure in figures:
        rows += [(figure.title, *[""] * (len(_HEADINGS) - 1)), *_rows(figure), None]
    full = [row for row in rows if row is not None and (row is _HEADINGS or not row[0])]  # titles may run on
    widths = [max(len(row[i]) for row in full) for i in range(len(_HEADINGS))]
    return "\n".join(_line(row, widths) for row in rows[:-1])


def as_json(machine: Mapping[str, str], settings: Mapping[str, str], figures: Sequence[Figure]) -> str:
    """Return everything, every round's values too, as JSON."""
    document = {
        "machine": dict(machine),
        "settings": dict(settings),
        "figures": [
            {
                "name": figure.name,
                "title": figure.title,
                "note": figure.note,
                "series": [_series(each) for each in figure.series],
                "comparisons": [_comparison(each) for each in figure.comparisons],
            }
            for figure in figures
        ],
    }
    return json.dumps(document, indent=2) + "\n"


def write_json(text: str, path: Path) -> None:
    """Write the JSON, in a folder that is made if it is not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _rows(figure: Figure) -> Iterator[tuple[str, ...]]:
    for each in figure.series:
        yield ("", each.name, *_spread(each), each.unit, "", "")
    for compared in figure.comparisons:
        yield ("", compared.name, *_spread(compared), compared.unit, compared.target, _REACHED[compared.reached])
    if figure.note:
        yield ("", figure.note, *[""] * 6)


def _spread(of: Series | Comparison) -> tuple[str, str, str]:
    return (_number(of.median), _number(min(of.values)), _number(max(of.values)))


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.1f}" if abs(value) >= 20 else f"{value:.2f}"


def _line(row: tuple[str, ...] | None, widths: Sequence[int]) -> str:
    if row is None:
        return "-" * (sum(widths) + 2 * len(widths))
    if not any(row[1:]):
        return row[0]
    cells = [f"{cell:>{widths[i]}}" if i in _RIGHT else f"{cell:{widths[i]}}" for i, cell in enumerate(row)]
    return "  ".join(cells).rstrip()


def _grouped(settings: Mapping[str, str]) -> Iterator[str]:
    """Yield the settings, each with all who have it."""
    figures: dict[str, list[str]] = {}
    for place, value in settings.items():
        figure, _, name = place.partition(": ")
        figures.setdefault(figure, []).append(f"{name}: {value}")
    for figure, told in figures.items():
        yield f"  {figure}"
        yield from (f"    {each}" for each in told)


def _series(of: Series) -> dict[str, Any]:
    return {"name": of.name, "unit": of.unit, "median": of.median, **_bounds(of.values)}


def _comparison(of: Comparison) -> dict[str, Any]:
    told = {"name": of.name, "unit": of.unit, "median": of.median, **_bounds(of.values)}
    return {**told, "at_least": of.at_least, "at_most": of.at_most, "reached": of.reached}


def _bounds(values: Sequence[float]) -> dict[str, Any]:
    return {"min": min(values), "max": max(values), "values": list(values)}
