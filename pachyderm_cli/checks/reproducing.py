"""A counterexample as something that can be run: `pachyderm send` lines, and a test to paste."""

from __future__ import annotations

import json
import re
import shlex

from pachyderm_cli.checks.findings import Counterexample, Step, sentence
from pachyderm_cli.checks.trial import NAME, message_id_of
from pachyderm_cli.domain.entity import EntityType

_PLAIN = re.compile(r"[A-Za-z0-9_.:@+-]+")


def sends(entity_type: EntityType, found: Counterexample) -> list[str]:
    """Return command lines that send the messages to a new entity; where time passes between two, a comment says so."""
    lines = []
    for at, step in enumerate(found.steps):
        if step.wait:
            lines.append(f"# {_span(step.wait)} later")
        # The chances of a context follow from the message's id.
        named = f" --id {message_id_of(entity_type.name, at, step.dice)}" if entity_type.takes_context else ""
        lines.append(f"pachyderm send {entity_type.name}:@{NAME} {_spelt(step.message)}{named}{_fields(step)}")
    return lines


def test_source(entity_type: EntityType, found: Counterexample) -> str:
    """Return a pytest function that fails as long as the fault is there."""
    broken = found.fault.property
    name = re.sub(r"\W", "_", entity_type.name)
    steps = "\n".join(f"        {_literal(step)}," for step in found.steps)
    messages = f"[\n{steps}\n    ]" if steps else "[]"
    return (
        f"from pachyderm_cli.testing import hold\n\n\n"
        f"def test_{name}_is_{broken}():\n"
        f'    """{sentence(broken)}"""\n'
        f"    hold({entity_type.name!r}, {str(broken)!r}, {messages})\n"
    )


def _literal(step: Step) -> str:
    more = f", {step.wait}, {step.dice}" if step.dice else f", {step.wait}" if step.wait else ""
    return f"({step.message!r}, {step.data!r}{more})"


def _spelt(message: str) -> str:
    """Return a message's name as it is usually written on a command line."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", message).lower()


def _fields(step: Step) -> str:
    """Return the fields as arguments; as JSON where one is not plain."""
    try:
        data = json.loads(step.data)
    except ValueError:  # a message that JSON cannot hold
        return f"  # {step.data}"
    if not data:
        return ""
    plain = [f"{name}={_argument(value)}" for name, value in data.items() if _is_plain(value)]
    return " " + (" ".join(plain) if len(plain) == len(data) else f"--data {shlex.quote(step.data)}")


def _is_plain(value: object) -> bool:
    return isinstance(value, bool | int | float) or (isinstance(value, str) and bool(_PLAIN.fullmatch(value)))


def _argument(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _span(seconds: int) -> str:
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds % size == 0:
            count = seconds // size
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return f"{seconds} second{'s' if seconds > 1 else ''}"
