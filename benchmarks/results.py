"""What a figure tells: values measured in turns, and how they compare, turn by turn."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Series:
    """One contender's values, one for each round."""

    name: str
    unit: str  # "sends/s", "jobs/s", "events/s", "ms", "s" or "MB"
    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The value in the middle."""
        return median(self.values)


@dataclass(frozen=True)
class Comparison:
    """Ratios (or differences) of two series, one for each round, and what their median is to reach."""

    name: str
    unit: str  # "x" for a ratio
    values: tuple[float, ...]
    at_least: float | None = None
    at_most: float | None = None

    @property
    def median(self) -> float:
        """The value in the middle: what is held against the target."""
        return median(self.values)

    @property
    def target(self) -> str:
        """The target as text, empty where there is none."""
        if self.at_least is not None:
            return f">= {self.at_least:,g}"
        return "" if self.at_most is None else f"<= {self.at_most:,g}"

    @property
    def reached(self) -> bool | None:
        """Whether the target is reached; None where there is none."""
        if self.at_least is not None:
            return self.median >= self.at_least
        return None if self.at_most is None else self.median <= self.at_most


@dataclass(frozen=True)
class Figure:
    """One figure of the table."""

    name: str
    title: str
    series: tuple[Series, ...]
    comparisons: tuple[Comparison, ...]
    note: str = ""


def ratio(of: Series, to: Series, *, at_least: float | None = None, at_most: float | None = None) -> Comparison:
    """Return `of` divided by `to`, within each round: drift that both share cancels."""
    values = tuple(a / b for a, b in zip(of.values, to.values, strict=True))
    return Comparison(f"{of.name} / {to.name}", "x", values, at_least, at_most)


def difference(of: Series, to: Series, *, at_most: float) -> Comparison:
    """Return `of` less `to`, within each round."""
    values = tuple(a - b for a, b in zip(of.values, to.values, strict=True))
    return Comparison(f"{of.name} - {to.name}", of.unit, values, at_most=at_most)


def itself(of: Series, *, at_least: float) -> Comparison:
    """Return the values of `of` themselves, to be held against a target."""
    return Comparison(of.name, of.unit, of.values, at_least)


def fastest(series: Sequence[Series]) -> Series:
    """Return the series with the highest median rate: the variant that stands for a contender."""
    return max(series, key=lambda each: each.median)
