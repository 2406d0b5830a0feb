"""Command lines: for every command and option that the application itself says it has, mixed with noise."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import typer
from hypothesis import strategies as st

from pachyderm_cli.cli.app import app
from torture.hostile import words

Words = tuple[str, ...]

ENDING: dict[Words, Words] = {("worker",): ("--once",), ("follow",): ("--once",), ("check",): ("--max-examples", "1")}
"""What lets a command come to an end by itself, soon."""
_APART = frozenset({"--follow", "--install-completion", "--show-completion", "--max-attempts", "--version"})
"""Options that never end, or that write outside of the folder: not drawn."""


class Parameter(NamedTuple):
    """A parameter: its name on the line, "" for a positional one; what it takes, None for a flag; whether many."""

    name: str
    value: st.SearchStrategy[str] | None
    is_many: bool


class Shape(NamedTuple):
    """A command: its name, in one or two words, and its parameters."""

    name: Words
    parameters: tuple[Parameter, ...]


def shapes() -> list[Shape]:
    """Return every command there is."""
    return list(_shapes(typer.main.get_command(app), ()))


def _shapes(command: Any, name: Words) -> Iterator[Shape]:
    inner = getattr(command, "commands", None)
    if inner is not None:
        for each in inner:
            yield from _shapes(inner[each], (*name, each))
        return
    parameters = [_parameter(name, each) for each in command.params if _APART.isdisjoint(each.opts)]
    yield Shape(name, tuple(parameters))


def _parameter(name: Words, given: Any) -> Parameter:
    is_option = given.opts[0].startswith("-")
    option = given.opts[0] if is_option else ""
    if given.type_descriptor.annotation is bool:
        return Parameter(option, None, is_many=False)
    metavar = given.metavar or given.name
    special = (name[0], option or metavar)
    takes = words.SPECIAL[special] if special in words.SPECIAL else words.BY_METAVAR[metavar]
    return Parameter(option, takes, given.nargs == -1 or bool(getattr(given, "multiple", False)))


GLOBAL = (
    Parameter("--store", words.urls, is_many=False),
    Parameter("--network", words.names, is_many=False),
    Parameter("--project", words.folders, is_many=False),
)


@st.composite
def command_lines(draw: st.DrawFn, known: list[Shape]) -> Words:
    """Draw a command line."""
    shape = draw(st.sampled_from(known))
    line: list[str] = []
    for each in GLOBAL:
        if draw(st.integers(0, 11)) == 0:
            line += [each.name, draw(each.value or st.nothing())]
    line += [*shape.name, *ENDING.get(shape.name, ())]
    rest = [word for each in shape.parameters for word in _written(draw, each)]
    for _ in range(draw(st.sampled_from((0, 0, 0, 1, 2)))):
        rest = _spoilt(draw, rest)
    if draw(st.booleans()):
        rest.append("--json")
    return tuple(line + rest)


def _written(draw: st.DrawFn, parameter: Parameter) -> list[str]:
    """Write a parameter, or leave it out: a positional one seldom, an option mostly."""
    if draw(st.integers(0, 9)) >= (3 if parameter.name else 9) or parameter.name == "--json":
        return []
    if parameter.value is None:
        return [parameter.name]
    found = []
    for _ in range(draw(st.integers(1, 3)) if parameter.is_many else 1):
        value = draw(parameter.value)
        found += (
            [value]
            if not parameter.name
            else draw(st.sampled_from(([parameter.name, value], [f"{parameter.name}={value}"])))
        )
    return found


def _spoilt(draw: st.DrawFn, line: list[str]) -> list[str]:
    """Leave a word out, write it twice, put noise beside or into it, or let it change places with another."""
    at = draw(st.integers(0, len(line)))
    before, here, after = line[:at], line[at : at + 1], line[at + 1 :]
    return draw(
        st.sampled_from(
            (
                before + after,
                before + here + here + after,
                [*before, draw(words.noise), *here, *after],
                before + [each + draw(words.hostile) for each in here] + after,
                after + here + before,
            )
        )
    )
