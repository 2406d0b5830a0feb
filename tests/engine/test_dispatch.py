"""Running effects: each once, in order, whatever the others do."""

import asyncio
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest

from pachyderm_cli import Effect
from pachyderm_cli.domain.identifiers import effect_id
from pachyderm_cli.engine.dispatch import dispatch, left_out

MESSAGE_ID = UUID(int=1)


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


def run(*effects: Effect) -> tuple[list[str], list[str]]:
    """Run effects; return what was noted and the statuses."""
    notes: list[str] = []
    results = dispatch(effects, MESSAGE_ID, {"notes": notes})
    assert [result.id for result in results] == [effect_id(MESSAGE_ID, index) for index in range(len(effects))]
    assert [result.type for result in results] == [type(effect).__name__ for effect in effects]
    assert [result.error is None for result in results] == [result.status == "done" for result in results]
    return notes, [str(result.status) for result in results]


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
    [result] = dispatch([Fail(kind="oh")], MESSAGE_ID, {})
    assert result.error is not None
    assert result.error.startswith(f"RuntimeError: oh ({__file__}:")


def test_one_effect_cannot_take_the_configuration_from_the_next() -> None:
    """Each is handed a mapping of its own."""
    notes, statuses = run(Greedy(), Note(text="a"))
    assert (notes, statuses) == (["a"], ["done", "done"])


def test_an_interrupt_by_the_user_comes_through() -> None:
    """Ctrl-C is the user's, not the effect's failure."""
    with pytest.raises(KeyboardInterrupt):
        run(Interrupted())


def test_what_is_left_out_is_discarded() -> None:
    """Effects that are not to run are named, each with its id."""
    results = left_out([Note(text="a"), Fail(kind="oh")], MESSAGE_ID)
    assert [(result.type, str(result.status)) for result in results] == [("Note", "discarded"), ("Fail", "discarded")]
    assert [result.id for result in results] == [effect_id(MESSAGE_ID, 0), effect_id(MESSAGE_ID, 1)]
