"""Running effects in this process, after the commit, each once; one that fails does not stop the others."""

from __future__ import annotations

import asyncio
import inspect
import sys
import threading
from collections.abc import Coroutine, Iterable, Mapping
from traceback import extract_tb
from typing import Any
from uuid import UUID

from pachyderm_cli.domain.identifiers import effect_id
from pachyderm_cli.domain.message import Effect
from pachyderm_cli.engine.results import EffectResult, EffectStatus


def dispatch(effects: Iterable[Effect], message_id: UUID, config: Mapping[str, Any]) -> tuple[EffectResult, ...]:
    """Run `effects` in order and return what became of each: done, or failed with the error and where it arose."""
    return tuple(_dispatch_one(effect, effect_id(message_id, index), config) for index, effect in enumerate(effects))


def left_out(effects: Iterable[Effect], message_id: UUID) -> tuple[EffectResult, ...]:
    """Return the results of effects that the sender asked not to run: at most once means they never will."""
    return tuple(
        EffectResult(effect_id(message_id, index), type(effect).__name__, EffectStatus.DISCARDED)
        for index, effect in enumerate(effects)
    )


def _dispatch_one(effect: Effect, identifier: UUID, config: Mapping[str, Any]) -> EffectResult:
    name = type(effect).__name__
    try:
        answer = effect.dispatch(dict(config))  # type: ignore[attr-defined]  # read_entity required it
        if inspect.iscoroutine(answer):
            _run(answer)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - whatever user code raises is told as its own
        return EffectResult(identifier, name, EffectStatus.FAILED, _described(effect, error))
    return EffectResult(identifier, name, EffectStatus.DONE)


def _run(coroutine: Coroutine[Any, Any, Any]) -> None:
    """Run `coroutine` to its end, in a thread of its own where this one is already running an event loop."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(coroutine)
        return
    failure: list[BaseException] = []

    def run() -> None:
        try:
            asyncio.run(coroutine)
        except BaseException as error:  # noqa: BLE001 - handed to the waiting thread, which raises it
            failure.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failure:
        raise failure[0]


def _described(effect: Effect, error: BaseException) -> str:
    """Return one line for `error`, with the line of the effect's own module that it came through."""
    file = getattr(sys.modules.get(type(effect).__module__), "__file__", None)
    frames = [frame for frame in extract_tb(error.__traceback__) if frame.filename == file]
    where = f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{where}"
