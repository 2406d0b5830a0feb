"""Running an effect of the project's own in this process: once, within its time, its failure told as one line."""

from __future__ import annotations

import inspect
import sys
import threading
from collections.abc import Callable, Coroutine, Mapping
from traceback import extract_tb
from typing import Any

from pachyderm_cli.domain.context import EffectContext
from pachyderm_cli.domain.faults import told
from pachyderm_cli.domain.message import Effect, takes_context


def dispatch(effect: Effect, config: Mapping[str, Any], context: EffectContext) -> str | None:
    """Run `effect`; return None if it was done, or else the error and where it arose.

    With a timeout a coroutine is cancelled when its time is over. A plain function cannot be stopped: it goes on in
    a thread of its own while the attempt counts as failed.
    """
    timeout = type(effect).timeout
    try:
        if timeout is None:
            _dispatch(effect, config, context)
        elif inspect.iscoroutinefunction(effect.dispatch):  # type: ignore[attr-defined]  # read_entity required it
            _dispatch(effect, config, context, timeout)
        else:
            _in_thread(lambda: _dispatch(effect, config, context, timeout), timeout)
    except KeyboardInterrupt:
        raise
    except TimeoutError as error:
        if isinstance(error, _TimeIsOver):
            return f"TimeoutError: it took longer than its timeout of {timeout:g} seconds"
        return _described(effect, error)
    except BaseException as error:  # noqa: BLE001 - whatever user code raises is told as its own
        return _described(effect, error)
    return None


class _TimeIsOver(TimeoutError):
    """The effect's own timeout, and not one of what it does."""


def _dispatch(effect: Effect, config: Mapping[str, Any], context: EffectContext, timeout: float | None = None) -> None:
    run = effect.dispatch  # type: ignore[attr-defined]  # as above
    answer = run(dict(config), context) if takes_context(type(effect)) else run(dict(config))
    if inspect.iscoroutine(answer):
        _run(_within(answer, timeout))


async def _within(coroutine: Coroutine[Any, Any, Any], seconds: float | None) -> None:
    import asyncio  # noqa: PLC0415 - it takes a tenth of a short command to load, and few effects are coroutines

    over = asyncio.timeout(seconds)
    try:
        async with over:
            await coroutine
    except TimeoutError as error:
        if over.expired():
            raise _TimeIsOver from error
        raise


def _run(coroutine: Coroutine[Any, Any, Any]) -> None:
    """Run `coroutine` to its end, in a thread of its own where this one is already running an event loop."""
    import asyncio  # noqa: PLC0415 - as above

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(coroutine)
        return
    _in_thread(lambda: asyncio.run(coroutine), None)


def _in_thread(work: Callable[[], None], timeout: float | None) -> None:
    """Run `work` in a thread of its own, and raise what it raises. Raises _TimeIsOver."""
    failure: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - handed to the waiting thread, which raises it
            failure.append(error)

    thread = threading.Thread(target=run, name="pachyderm-effect", daemon=True)
    thread.start()
    thread.join(timeout)
    if thread.is_alive():
        raise _TimeIsOver
    if failure:
        raise failure[0]


def _described(effect: Effect, error: BaseException) -> str:
    """Return one line for `error`, with the line of the effect's own module that it came through."""
    file = getattr(sys.modules.get(type(effect).__module__), "__file__", None)
    frames = [frame for frame in extract_tb(error.__traceback__) if frame.filename == file]
    where = f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
    return " ".join(told(error).split()) + where
