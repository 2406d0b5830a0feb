"""Running effects: each once, in order, whatever the others do."""

import asyncio
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest

from pachyderm_cli import Effect, EffectContext, Reference
from pachyderm_cli.engine.dispatch import dispatch


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


class Fail(Effect):
    kind: str

    def dispatch(self, _config: Mapping[str, Any]) -> None:
        """Raise what the kind says."""
        if self.kind == "exit":
            raise SystemExit(3)
        if self.kind == "cancelled":
            raise asyncio.CancelledError
        raise RuntimeError(self.kind)


class FailLater(Effect):
    kind: str = "later"

    async def dispatch(self, _config: Mapping[str, Any]) -> None:
        """Raise what the kind says, after a turn of the loop."""
        await asyncio.sleep(0)
        if self.kind == "cancelled":
            raise asyncio.CancelledError
        raise RuntimeError(self.kind)


class Greedy(Effect):
    def dispatch(self, config: dict[str, Any]) -> None:
        """Empty the configuration."""
        config.clear()


class Interrupted(Effect):
    def dispatch(self, _config: dict[str, Any]) -> None:
        """Be interrupted by the user."""
        raise KeyboardInterrupt


CONTEXT = EffectContext(UUID(int=1), 1, Reference("tally", UUID(int=2)), "default", 3)


def run(*effects: Effect) -> tuple[list[str], list[str]]:
    """Run effects; return what was noted and how each ended."""
    notes: list[str] = []
    errors = [dispatch(effect, {"notes": notes}, CONTEXT) for effect in effects]
    return notes, ["done" if error is None else "failed" for error in errors]


def test_effects_run_in_order() -> None:
    """Functions and coroutine functions run one after the other, as they were named."""
    notes, statuses = run(Note(text="a"), NoteLater(text="b"), Note(text="c"))
    assert (notes, statuses) == (["a", "b", "c"], ["done"] * 3)


@pytest.mark.parametrize(
    "failing",
    [
        Fail(kind="oh"),
        Fail(kind="exit"),
        Fail(kind="cancelled"),
        FailLater(),
        FailLater(kind="cancelled"),
    ],
    ids=repr,
)
def test_one_that_fails_stops_no_other(failing: Effect) -> None:
    """Whatever it raises, the ones after it run."""
    notes, statuses = run(Note(text="a"), failing, NoteLater(text="b"))
    assert (notes, statuses) == (["a", "b"], ["done", "failed", "done"])


def test_coroutines_run_inside_a_running_loop() -> None:
    """A sender that is itself in an event loop can send: the effect gets a loop of its own."""

    async def inside() -> tuple[list[str], list[str]]:
        return run(NoteLater(text="a"), FailLater(), Note(text="b"))

    assert asyncio.run(inside()) == (["a", "b"], ["done", "failed", "done"])


def test_an_error_says_where_it_arose() -> None:
    """The line of the effect's own module is named."""
    error = dispatch(Fail(kind="oh"), {}, CONTEXT)
    assert error is not None
    assert error.startswith(f"RuntimeError: oh ({__file__}:")


def test_an_effect_cannot_change_the_configuration() -> None:
    """Each is handed a mapping of its own."""
    config = {"kept": 1}
    assert dispatch(Greedy(), config, CONTEXT) is None
    assert config == {"kept": 1}


def test_an_interrupt_by_the_user_comes_through() -> None:
    """Ctrl-C is the user's, not the effect's failure."""
    with pytest.raises(KeyboardInterrupt):
        run(Interrupted())
