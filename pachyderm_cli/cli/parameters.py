"""The parameters of commands, without what Typer loads to read them.

Typer reads every value through pydantic, which takes longer to load than all the rest of a completion. Texts and
flags, which nearly all parameters are, need no reading.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from typer.core import TyperCommand, TyperGroup

_READ_ALREADY = (str, bool, list[str])


class _Lazy:
    """Reads a parameter's value, and loads what Typer reads values by only for one that is neither text nor flag."""

    def __init__(self, annotation: Any, typer_s_own: Callable[[], Any]) -> None:
        self._annotation = annotation
        self._typer_s_own = typer_s_own

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """Return `value` in the form in which Typer hands values to commands."""
        if param.multiple or param.nargs == -1:
            if value is None:
                return ()
            if self._annotation in _READ_ALREADY:
                return list(value)
        elif value is None or self._annotation in _READ_ALREADY:
            return value
        return self._typer_s_own().coerce(value, param=param, ctx=ctx)


def lighten(command: TyperCommand | TyperGroup) -> None:
    """Let the parameters of `command`, and of the commands below it, load no more than they need."""
    made = command.get_params

    def get_params(context: Any) -> Any:
        parameters: Any = made(context)
        for each in parameters:
            if isinstance(each.get_runtime_param, partial):  # seen before
                continue
            # Typer makes the parameters itself, that of --help only now, and takes no other class for them.
            each.get_runtime_param = partial(_Lazy, each.type_descriptor.annotation, each.get_runtime_param)
        return parameters

    command.get_params = get_params  # type: ignore[assignment, method-assign]  # as said above
    for each in getattr(command, "commands", {}).values():
        lighten(each)
