"""What a report says of a property, as text."""

from __future__ import annotations

from pachyderm_cli.checks.findings import Counterexample, Property, Report


def told(report: Report, wanted: Property) -> str:
    """Return why a property does not hold: the source's faults, then the smallest sequence that breaks it."""
    lines = [
        f"{remark.problem} ({remark.file}:{remark.line})"
        for remark in report.remarks
        if remark.property is wanted and remark.certain
    ]
    for found in report.counterexamples:
        if found.fault.property is wanted:
            lines += _of(found)
    return "\n".join(lines)


def _of(found: Counterexample) -> list[str]:
    fault = found.fault
    lines = [f"{fault.problem} ({fault.file}:{fault.line})"]
    lines += [f"  after {step.message} {step.data}" for step in found.steps]
    differs = ", ".join(fault.paths) or None
    states = (("before", fault.before), ("after", fault.after), ("or", fault.otherwise), ("differs", differs))
    return lines + [f"  {name}: {value}" for name, value in states if value is not None]
