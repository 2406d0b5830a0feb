"""Reports of checks as JSON."""

from __future__ import annotations

import json
from typing import Any

from pachyderm_cli.checks.findings import Counterexample, Property, Remark, Report
from pachyderm_cli.checks.reproducing import sends, test_source
from pachyderm_cli.cli.json_text import Stored
from pachyderm_cli.domain.entity import EntityType


def report(checked: tuple[EntityType, Report]) -> dict[str, Any]:
    """Return what was found about one entity type."""
    entity_type, found = checked
    failed = found.failed()
    return {
        "type": found.entity_type,
        "file": found.file,
        "seed": found.seed,
        "sound": found.is_sound,
        "properties": [
            {
                "property": str(each),
                "holds": each not in failed,
                "examples": found.examples.get(each),
                "counterexamples": [
                    _counterexample(entity_type, one) for one in found.counterexamples if one.fault.property is each
                ],
                "faults": [_remark(one) for one in found.remarks if one.property is each and one.certain],
            }
            for each in Property
        ],
        "hints": [{"property": str(one.property), **_remark(one)} for one in found.remarks if not one.certain],
        "notes": found.notes,
    }


def _counterexample(entity_type: EntityType, found: Counterexample) -> dict[str, Any]:
    fault = found.fault
    return {
        "problem": fault.problem,
        "file": fault.file,
        "line": fault.line,
        "messages": [{"message": step.message, "data": _stored(step.data), "wait": step.wait} for step in found.steps],
        "before": _stored(fault.before),
        "after": _stored(fault.after),
        "otherwise": _stored(fault.otherwise),
        "paths": list(fault.paths),
        "sends": sends(entity_type, found),
        "test": test_source(entity_type, found),
    }


def _stored(text: str | None) -> str | None:
    """Return a text that is JSON as such, any other as text."""
    try:
        json.loads(text or "")
    except ValueError:
        return text
    return Stored(text)


def _remark(remark: Remark) -> dict[str, Any]:
    return {"problem": remark.problem, "file": remark.file, "line": remark.line}
