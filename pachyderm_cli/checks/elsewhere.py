"""The same in another process, with another hash seed, clock, time zone and random seed.

`python -m pachyderm_cli.checks.elsewhere` reads lines of JSON: first where the entity type is, then a sequence on each,
with the events that it led to. It answers each with a line: what is decided at each step there, and the states.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import UUID

from pachyderm_cli.checks.comparing import canonical
from pachyderm_cli.checks.pristine import Pristine, project_modules
from pachyderm_cli.checks.shifted import shift_clock
from pachyderm_cli.checks.trial import Handled
from pachyderm_cli.domain.codec import encode_model
from pachyderm_cli.domain.context import Context
from pachyderm_cli.domain.entity import EntityType
from pachyderm_cli.domain.protocol import read_entity
from pachyderm_cli.domain.reference import Reference
from pachyderm_cli.engine.loader import FolderEntityTypes
from pachyderm_cli.errors import EntityFailed, PachydermError, Rejected

_ENVIRONMENT = {"PYTHONHASHSEED": "4242", "TZ": "Asia/Kathmandu", "PYTHONDONTWRITEBYTECODE": "1"}

Answer = dict[str, Any]


class Elsewhere:
    """The other process, for one entity type; started when it is first asked."""

    def __init__(self, entity_type: EntityType, folder: Path | None) -> None:
        """Load the type from the `folder` of entity modules there, or import its module by name."""
        self._place = {
            "type": entity_type.name,
            "folder": None if folder is None else str(folder),
            "module": entity_type.handle.__module__,
            "path": sys.path,
        }
        self._process: subprocess.Popen[str] | None = None

    def ask(self, handled: Sequence[Handled]) -> list[Answer]:
        """Return what comes of each step there. Raises PachydermError if the process cannot tell."""
        process = self._process or self._start()
        steps = [_question(each) for each in handled]
        try:
            answer: list[Answer] = self._said(process, steps)
        except (OSError, ValueError) as error:
            self.close()
            raise PachydermError(f"the process that the check compares with has ended: {error}") from error
        return answer

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _start(self) -> subprocess.Popen[str]:
        # Without -P the current folder's modules would come before all others, whoever put them there.
        command = [sys.executable, "-P", "-m", "pachyderm_cli.checks.elsewhere"]
        package = str(Path(__file__).parents[2])
        path = os.pathsep.join([package, *filter(None, [os.environ.get("PYTHONPATH")])])
        environment = {**os.environ, **_ENVIRONMENT, "PYTHONPATH": path}
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(  # noqa: S603 - this very package  # nosec B603
            command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, env=environment, text=True, encoding="utf-8"
        )
        self._said(self._process, self._place)
        return self._process

    def _said(self, process: subprocess.Popen[str], question: Any) -> Any:
        assert process.stdin is not None  # noqa: S101 - for mypy: both are pipes
        assert process.stdout is not None  # noqa: S101 - as above
        process.stdin.write(json.dumps(question) + "\n")
        process.stdin.flush()
        answer = json.loads(process.stdout.readline())
        if isinstance(answer, dict) and "error" in answer:
            raise PachydermError(f"the module cannot be loaded in another process: {answer['error']}")
        return answer


def _question(handled: Handled) -> dict[str, Any]:
    context = handled.context
    return {
        "message": handled.step.message,
        "data": handled.step.data,
        "now": context.now.isoformat(),
        "message_id": str(context.message_id),
        "id": str(context.reference.id),
        "version": context.version,
        "events": [[event.type, event.text] for event in handled.events],
    }


def _answered(entity_type: EntityType, steps: Sequence[dict[str, Any]], pristine: Pristine) -> list[Answer]:
    """Return what comes of the steps, as if each call were made in a process of its own."""
    pristine.restore()
    state, version = entity_type.initial(), 0
    answers: list[Answer] = []
    for step in steps:
        asked = "handle"
        try:
            answer = _decided(entity_type, step, state, pristine)
            asked = "update"
            for name, text in step["events"]:
                version += 1
                pristine.restore()
                state = entity_type.apply(state, entity_type.events[name].model_validate_json(text), version)
                answer["states"].append(_shown(entity_type, state))
        except (EntityFailed, ValueError) as error:
            return [*answers, {"failure": str(error), "asked": asked}]
        answers.append(answer)
    return answers


def _decided(entity_type: EntityType, step: dict[str, Any], state: Any, pristine: Pristine) -> Answer:
    message = entity_type.messages[step["message"]].model_validate_json(step["data"])
    reference = Reference(entity_type.name, UUID(step["id"]))
    now, message_id = datetime.fromisoformat(step["now"]), UUID(step["message_id"])
    context = Context(now, message_id, reference, step["version"])
    answer: Answer = {"events": [], "effects": [], "rejection": None, "states": []}
    pristine.restore()
    try:
        decision = entity_type.decide(message, entity_type.own_state(state), context)
    except Rejected as rejected:
        return {**answer, "rejection": rejected.reason}
    answer["events"] = [[type(each).__name__, encode_model(each)] for each in decision.events]
    answer["effects"] = [canonical(each) for each in decision.effects]
    return answer


def _shown(entity_type: EntityType, state: Any) -> str | None:
    try:
        return entity_type.state_json(state)
    except EntityFailed:  # as it has none in the other process either
        return None


def main() -> None:
    """Answer until there are no more questions; whatever user code prints goes nowhere."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    lines = iter(sys.stdin.readline, "")

    def say(answer: Any) -> None:
        out.write(json.dumps(answer) + "\n")
        out.flush()

    place = json.loads(next(lines))
    shift_clock()
    try:
        entity_type = _loaded(place)
    except PachydermError as error:
        say({"error": error.message})
        return
    except ImportError as error:
        say({"error": str(error)})
        return
    say({})
    pristine = Pristine(project_modules(entity_type))
    for number, line in enumerate(lines):
        random.seed(number + 7)
        say(_answered(entity_type, json.loads(line), pristine))


def _loaded(place: dict[str, Any]) -> EntityType:
    sys.path[:] = place["path"]
    if place["folder"] is not None:
        return FolderEntityTypes(Path(place["folder"])).get(place["type"])
    return read_entity(place["type"], import_module(place["module"]))


if __name__ == "__main__":
    main()
