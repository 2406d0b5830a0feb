"""Running effects: each once, within its time, whatever it raises."""

import asyncio
import threading
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

import pytest

from pachyderm_cli import Effect, EffectContext, Reference
from pachyderm_cli.engine.dispatch import dispatch

CONTEXT = EffectContext(UUID(int=1), 2, Reference("tally", uuid4()), "n", 7)
LONG = 60.0  # seconds: longer than any test waits


class Note(Effect):
    text: str

    def dispatch(self, config: dict[str, Any]) -> None:
        """Write the text down."""
        config["notes"].append(self.text)


class NoteLater(Effect):
    text: str

    async def dispatch(self, config: dict[str, Any]) -> None:
        """Write the text down, after a turn of the loop."""
        await asyncio.sleep(0)
        config["notes"].append(self.text)


class NoteContext(Effect):
    def dispatch(self, config: dict[str, Any], context: EffectContext) -> None:
        """Write the context down."""
        config["notes"].append(context)


class NoteContextLater(Effect):
    timeout = LONG

    async def dispatch(self, config: dict[str, Any], context: EffectContext) -> None:
        """Write the context down, after a turn of the loop."""
        await asyncio.sleep(0)
        config["notes"].append(context)


class NoteInTime(Effect):
    timeout = LONG

    def dispatch(self, config: dict[str, Any]) -> None:
        """Write down which thread this is."""
        config["notes"].append(threading.current_thread())


class Fail(Effect):
    kind: str

    def dispatch(self, _config: Mapping[str, Any]) -> None:
        """Raise what the kind says."""
        if self.kind == "exit":
            raise SystemExit(3)
        if self.kind == "cancelled":
            raise asyncio.CancelledError
        if self.kind == "timeout":
            raise TimeoutError("of its own")
        raise RuntimeError(self.kind)


class FailLater(Effect):
    kind: str = "later"

    async def dispatch(self, _config: Mapping[str, Any]) -> None:
        """Raise what the kind says, after a turn of the loop."""
        await asyncio.sleep(0)
        if self.kind == "cancelled":
            raise asyncio.CancelledError
        raise RuntimeError(self.kind)


class FailInTime(Effect):
    timeout = LONG

    def dispatch(self, _config: Mapping[str, Any]) -> None:
        """Raise, in the thread that bounds it."""
        raise RuntimeError("in time")


class Stuck(Effect):
    timeout = 0.01

    def dispatch(self, config: dict[str, Any]) -> None:
        """Wait until the test is done with it, then write that down."""
        config["release"].wait(LONG)
        config["ended"].set()


class StuckLater(Effect):
    timeout = 0.01

    async def dispatch(self, config: dict[str, Any]) -> None:
        """Wait for ever; write down that it was cancelled."""
        try:
            await asyncio.sleep(LONG)
        except asyncio.CancelledError:
            config["notes"].append("cancelled")
            raise


class TimeoutOfItsOwn(Effect):
    timeout = LONG

    async def dispatch(self, _config: dict[str, Any]) -> None:
        """Wait for something shorter than the effect's own timeout."""
        async with asyncio.timeout(0):
            await asyncio.sleep(LONG)


class Greedy(Effect):
    def dispatch(self, config: dict[str, Any]) -> None:
        """Empty the configuration."""
        config.clear()


class Interrupted(Effect):
    def dispatch(self, _config: dict[str, Any]) -> None:
        """Be interrupted by the user."""
        raise KeyboardInterrupt


def run(effect: Effect) -> tuple[list[Any], str | None]:
    """Run an effect; return what was noted, and the error."""
    notes: list[Any] = []
    error = dispatch(effect, {"notes": notes}, CONTEXT)
    return notes, error


@pytest.mark.parametrize("effect", [Note(text="a"), NoteLater(text="a")], ids=repr)
def test_functions_and_coroutine_functions_run(effect: Effect) -> None:
    """Either is run to its end before anything is returned."""
    assert run(effect) == (["a"], None)


@pytest.mark.parametrize("effect", [NoteContext(), NoteContextLater()], ids=repr)
def test_a_third_parameter_gets_the_context(effect: Effect) -> None:
    """Id, attempt, entity, network and version are there for the effect that asks for them."""
    assert run(effect) == ([CONTEXT], None)


@pytest.mark.parametrize(
    ("failing", "told"),
    [
        (Fail(kind="oh"), "RuntimeError: oh"),
        (Fail(kind="exit"), "SystemExit: 3"),
        (Fail(kind="cancelled"), "CancelledError:"),
        (Fail(kind="timeout"), "TimeoutError: of its own"),
        (FailLater(), "RuntimeError: later"),
        (FailLater(kind="cancelled"), "CancelledError:"),
        (FailInTime(), "RuntimeError: in time"),
    ],
    ids=repr,
)
def test_whatever_it_raises_is_its_failure(failing: Effect, told: str) -> None:
    """What user code raises is returned as one line, with the line of its own module that it came through."""
    _, error = run(failing)
    assert error is not None
    assert error.startswith(told)
    assert f"({__file__}:" in error


def test_coroutines_run_inside_a_running_loop() -> None:
    """A sender that is itself in an event loop can send: the effect gets a loop of its own."""

    async def inside() -> tuple[list[Any], str | None]:
        return run(NoteLater(text="a"))

    assert asyncio.run(inside()) == (["a"], None)


def test_a_function_that_takes_too_long_fails_and_goes_on() -> None:
    """The attempt fails when its time is over; the thread cannot be stopped, and ends by itself."""
    release, ended = threading.Event(), threading.Event()
    error = dispatch(Stuck(), {"release": release, "ended": ended}, CONTEXT)
    assert error == "TimeoutError: it took longer than its timeout of 0.01 seconds"
    assert not ended.is_set()
    release.set()
    assert ended.wait(LONG)


def test_a_coroutine_that_takes_too_long_is_cancelled() -> None:
    """The coroutine sees its cancellation, and the attempt fails."""
    assert run(StuckLater()) == (["cancelled"], "TimeoutError: it took longer than its timeout of 0.01 seconds")


def test_a_timeout_inside_the_effect_is_told_as_such() -> None:
    """What the effect itself waited too long for is not taken for its own time being over."""
    _, error = run(TimeoutOfItsOwn())
    assert error is not None
    assert error.startswith("TimeoutError:")
    assert "its timeout of" not in error


def test_a_bounded_function_runs_in_a_thread_of_its_own() -> None:
    """So the sender can go on when its time is over."""
    [thread], error = run(NoteInTime())
    assert error is None
    assert thread is not threading.current_thread()


def test_one_effect_cannot_take_the_configuration_from_the_next() -> None:
    """Each is handed a mapping of its own."""
    config: dict[str, Any] = {"notes": []}
    assert dispatch(Greedy(), config, CONTEXT) is None
    assert config == {"notes": []}


def test_an_interrupt_by_the_user_comes_through() -> None:
    """Ctrl-C is the user's, not the effect's failure."""
    with pytest.raises(KeyboardInterrupt):
        run(Interrupted())
