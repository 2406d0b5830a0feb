"""Reports of checks as lines for people."""

from __future__ import annotations

from collections.abc import Iterator

from pachyderm_cli.checks.findings import TITLES, Counterexample, Property, Report
from pachyderm_cli.checks.reproducing import sends, test_source
from pachyderm_cli.cli.output import Line, Piece
from pachyderm_cli.cli.pieces import from_here
from pachyderm_cli.domain.entity import EntityType

_WIDTH = max(len(each) for each in Property)


def report(checked: tuple[EntityType, Report]) -> Iterator[Line]:
    """Show what was found about one entity type: a line for each property, and below it what breaks it."""
    entity_type, found = checked
    yield ((found.entity_type, "bold"), (f"  {from_here(found.file)}", "dim"))
    failed = found.failed()
    for each in Property:
        yield _property(found, each, holds=each not in failed)
        for remark in found.remarks:
            if remark.property is each and remark.certain:
                yield ((f"      {remark.problem}", ""), _place(remark.problem, remark.file, remark.line))
        for one in found.counterexamples:
            if one.fault.property is each:
                yield from _counterexample(entity_type, one)
    for remark in found.remarks:
        if not remark.certain:
            yield (("  hint: ", "yellow"), (remark.problem, ""), _place(remark.problem, remark.file, remark.line))
    for note in found.notes:
        yield ((f"  note: {note}", "dim"),)


def _property(found: Report, each: Property, *, holds: bool) -> Line:
    mark = ("✓", "green") if holds else ("✗", "red")
    count = found.examples.get(each)
    tried = f"  {count} example{'' if count == 1 else 's'}" if count is not None else ""
    if each is Property.INVARIANT and not found.invariants:
        mark, tried = ("-", "dim"), "  the module names none"
    return (("  ", ""), mark, (f" {each:{_WIDTH}}  ", "bold"), (TITLES[each], ""), (tried, "dim"))


def _place(problem: str, file: str, line: int) -> Piece:
    """Return where a problem stands, unless it says so itself."""
    place = f"{file}:{line}"
    return ("" if place in problem else f" ({from_here(file)}:{line})", "dim")


def _counterexample(entity_type: EntityType, found: Counterexample) -> Iterator[Line]:
    fault = found.fault
    yield ((f"      {fault.problem}", "red"), _place(fault.problem, fault.file, fault.line))
    for line in sends(entity_type, found):
        yield ((f"        {line}", ""),)
    for name, value in (("before", fault.before), ("after", fault.after), ("or", fault.otherwise)):
        if value is not None:
            yield ((f"      {name:7} ", "dim"), (value, ""))
    if fault.paths:
        yield (("      differs ", "dim"), (", ".join(fault.paths), ""))
    yield (("      as a test:", "dim"),)
    for line in test_source(entity_type, found).splitlines():
        yield ((f"        {line}" if line else "", ""),)
