"""Strategies for classes of the standard library of which pydantic's core schema says no more than a function."""

from __future__ import annotations

import zoneinfo
from fractions import Fraction
from ipaddress import ip_interface, ip_network
from typing import Any

from hypothesis import strategies as st
from pydantic.errors import PydanticInvalidForJsonSchema
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import PydanticOmit

from pachyderm_cli.checks.scalars import Schema, Strategy

_ZONES = ("UTC", "Europe/Berlin", "Asia/Kathmandu", "America/New_York")
_PATTERNS = ("a+", "^[a-z]*$", r"\d{3}")


def _ips(version: int) -> Strategy:
    return st.ip_addresses(v=version).map(str)  # type: ignore[arg-type]  # 4 or 6


def _interfaces(version: int, longest: int) -> Strategy:
    return st.tuples(st.ip_addresses(v=version), st.integers(8, longest)).map(  # type: ignore[arg-type]  # as above
        lambda parts: str(ip_interface((str(parts[0]), parts[1])))
    )


def _networks(version: int, longest: int) -> Strategy:
    return _interfaces(version, longest).map(lambda text: str(ip_network(text, strict=False)))


_fractions = st.fractions(Fraction(-100), Fraction(100), max_denominator=24)

_BY_FORMAT: dict[str, Strategy] = {
    "fraction": _fractions.map(str),
    "ipv4": _ips(4),
    "ipv6": _ips(6),
    "ipv4interface": _interfaces(4, 32),
    "ipv6interface": _interfaces(6, 128),
    "ipv4network": _networks(4, 32),
    "ipv6network": _networks(6, 128),
    "regex": st.sampled_from(_PATTERNS),
    "zoneinfo": st.sampled_from([name for name in _ZONES if name in zoneinfo.available_timezones()] or ["UTC"]),
}

_halves = st.integers(-20, 20).map(lambda number: number / 2)

BY_KIND: dict[str, Strategy] = {
    "complex": st.builds(complex, _halves, _halves),
    "fraction": _fractions,
}
"""By pydantic's name of the type."""


def of_format(schema: Schema) -> Strategy | None:
    """Return what makes the texts that a schema takes by its JSON Schema's format; None where there is none."""
    try:
        found: Any = GenerateJsonSchema().generate(dict(schema))
    except (PydanticInvalidForJsonSchema, PydanticOmit, KeyError, TypeError):
        return None
    return _BY_FORMAT.get(str(found.get("format")))
