"""Reading an entity module: its protocol from the annotations of `init`, `handle`, `update` and `query`.

Whatever is wrong with a module is an EntityLoadError that names file and line and says what to write instead.
"""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Iterable
from typing import Annotated, Any, NoReturn, TypeVar, Union, get_args, get_origin

from pydantic import PydanticUserError

from pachyderm_cli.domain import evolution
from pachyderm_cli.domain.entity import EntityType
from pachyderm_cli.domain.message import OUR_EFFECTS, Effect, Event, Message, Question, takes_context
from pachyderm_cli.errors import EntityLoadError

_LONGEST_TIMEOUT = 10_000_000  # seconds, a third of a year; a wait has its limit

ClassT = TypeVar("ClassT", Message, Event, Effect, Question)


def read_entity(name: str, module: Any) -> EntityType:
    """Return the entity type that `module` (a module, or any object with its functions) describes.

    Raises EntityLoadError for a module that does not keep the contract.
    """
    return _Reader(name, module).read()


def load_error(problem: str, file: str, line: int) -> EntityLoadError:
    """Return the error for a module that cannot be an entity because of what stands at `file`:`line`."""
    return EntityLoadError(f"{file}:{line}: {problem}", file=file, line=line)


class _Reader:
    """One reading of one module; it holds what every error message needs."""

    def __init__(self, name: str, module: Any) -> None:
        self.name = name
        self.module = module
        self.file: str = getattr(module, "__file__", None) or self._file_of_functions()

    def read(self) -> EntityType:
        handle = self._function("handle", required="def handle(message: …, state: …)", arguments=(2, 3))
        update = self._function("update", required="def update(event: …, state: …)", arguments=(2,))
        init = self._function("init", arguments=(0,))
        query = self._function("query", arguments=(2,))
        assert handle is not None  # noqa: S101 - for mypy: a required one raises above
        assert update is not None  # noqa: S101 - for mypy
        messages = self._protocol(handle, Message, "the messages it accepts")
        events = self._protocol(update, Event, "the events it can read")
        for event in events.values():
            problem = evolution.problem_of(event)
            if problem is not None:
                raise load_error(f"the event {event.__name__} {problem}", self.file, _class_line(event))
        clash = evolution.clash_of(events.values())
        if clash is not None:
            raise load_error(f"the event {clash[0].__name__} {clash[1]}", self.file, _class_line(clash[0]))
        emitted, effects = self._emitted(handle)
        for event in emitted:
            if events.get(event.__name__) is not event:
                self._fail(
                    f"update lacks the event {event.__name__}, which handle's annotation names; "
                    f"add it to the union that update takes",
                    update,
                )
        entity = EntityType(
            name=self.name,
            file=self.file,
            messages=messages,
            events=events,
            effects=effects,
            questions={} if query is None else self._questions(query),
            doc=inspect.cleandoc(getattr(self.module, "__doc__", None) or ""),
            handle=handle,
            update=update,
            init=init,
            query=query,
            answer_type=None if query is None else self._hints(query).get("return", Any),
            state_type=self._state_type(init, update),
            lookup=self._lookup(),
            takes_context=len(inspect.signature(handle).parameters) == 3,
        )
        self._require_state_adapter(entity)
        return entity

    def _require_state_adapter(self, entity: EntityType) -> None:
        try:
            _ = entity.state_adapter  # made here, kept by the entity
        except (PydanticUserError, NameError) as error:
            self._fail(
                f"pydantic can neither read nor write the type of the state: {str(error).splitlines()[0]}",
                entity.init or entity.update,
            )

    def _function(
        self, name: str, *, arguments: tuple[int, ...], required: str | None = None
    ) -> Callable[..., Any] | None:
        function = getattr(self.module, name, None)
        if function is None:
            if required is not None:
                problem = f"{self.name} has no {name}: an entity module defines {required}"
                hint = "; a module that is no entity has a name that begins with an underscore"
                raise load_error(problem + hint, self.file, 1)
            return None
        if not inspect.isfunction(function):
            problem = f"{name} is {type(function).__name__}, not a function; write it with def"
            raise load_error(problem, self.file, 1)
        if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
            self._fail(f"{name} is async: it is pure and runs at once; I/O belongs into an effect", function)
        parameters = inspect.signature(function).parameters.values()
        positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        if len(positional) != len(parameters) or len(positional) not in arguments:
            wanted = " or ".join(str(count) for count in arguments)
            self._fail(f"{name} takes {len(parameters)} parameters, where {wanted} are wanted", function)
        return typing.cast("Callable[..., Any]", function)

    def _hints(self, function: Callable[..., Any]) -> dict[str, Any]:
        try:
            return typing.get_type_hints(function, include_extras=True)
        except Exception as error:  # noqa: BLE001 - any code may stand in an annotation
            self._fail(f"the annotations of {function.__name__} cannot be read: {error}", function)

    def _annotation(self, function: Callable[..., Any], what: str) -> Any:
        first = next(iter(inspect.signature(function).parameters))
        hints = self._hints(function)
        if first not in hints:
            self._fail(f"{function.__name__} lacks the annotation of {first!r}: it names {what}", function)
        return hints[first]

    def _protocol(self, function: Callable[..., Any], kind: type[ClassT], what: str) -> dict[str, type[ClassT]]:
        members = list(_flattened(self._annotation(function, what)))
        found: dict[str, type[ClassT]] = {}
        for member in members:
            if not (isinstance(member, type) and issubclass(member, kind)):
                shown = getattr(member, "__name__", None) or str(member)
                self._fail(
                    f"{function.__name__} takes {shown}, which is no {kind.__name__}: "
                    f"derive it from pachyderm_cli.{kind.__name__}",
                    function,
                )
            for cls in self._defined(kind) if member is kind else [member]:
                if found.setdefault(cls.__name__, cls) is not cls:
                    self._fail(f"{function.__name__} takes two classes called {cls.__name__}", function)
        if not found:
            self._fail(f"{function.__name__} takes no {kind.__name__} at all", function)
        return found

    def _emitted(self, handle: Callable[..., Any]) -> tuple[list[type[Event]], dict[str, type[Effect]]]:
        """Return the event classes that handle's return annotation names, and the effects it may emit."""
        returned = self._hints(handle).get("return")
        members = [member for part in get_args(returned) for member in _flattened(part)]
        classes = [member for member in members if isinstance(member, type)]
        events = [cls for cls in classes if issubclass(cls, Event) and cls is not Event]
        effects = [cls for cls in classes if issubclass(cls, Effect) and cls is not Effect]
        if Effect in classes or not classes:
            effects += self._defined(Effect)
        effects = [effect for effect in effects if effect not in OUR_EFFECTS]
        for effect in effects:
            problem = _effect_problem(effect)
            if problem is not None:
                raise load_error(f"the effect {effect.__name__} {problem}", self.file, _class_line(effect))
        return events, {effect.__name__: effect for effect in effects}

    def _lookup(self) -> bool:
        """Return what the module says of `lookup`."""
        lookup = getattr(self.module, "lookup", False)
        if not isinstance(lookup, bool):
            raise load_error(f"lookup is {lookup!r}: write lookup = True, or nothing", self.file, 1)
        return lookup

    def _questions(self, query: Callable[..., Any]) -> dict[str, type[Question]]:
        return self._protocol(query, Question, "the questions it answers")

    def _state_type(self, init: Callable[..., Any] | None, update: Callable[..., Any]) -> Any:
        """Return the type that `init` returns; without `init`, what `update` returns, or None."""
        hints = self._hints(update if init is None else init)
        if "return" not in hints:
            name = "update" if init is None else "init"
            self._fail(f"{name} lacks the annotation of what it returns: it is the type of the state", init or update)
        state = hints["return"]
        return state if init is not None or state is None else Union[state, None]  # noqa: UP007 - at run time

    def _defined(self, kind: type[ClassT]) -> list[type[ClassT]]:
        """Return the subclasses of `kind` that the module knows by name."""
        values = list(vars(self.module).values())
        if not isinstance(self.module, types.ModuleType):
            values += getattr(self.module.handle, "__globals__", {}).values()
        found = (v for v in values if isinstance(v, type) and issubclass(v, kind) and v is not kind)
        return list(dict.fromkeys(found))

    def _file_of_functions(self) -> str:
        code = getattr(getattr(self.module, "handle", None), "__code__", None)
        return getattr(code, "co_filename", f"<{self.name}>")

    def _fail(self, problem: str, function: Callable[..., Any]) -> NoReturn:
        code = getattr(function, "__code__", None)
        raise load_error(problem, self.file, getattr(code, "co_firstlineno", 1))


def _flattened(annotation: Any) -> Iterable[Any]:
    """Yield the members of a union, through aliases and Annotated."""
    if type(annotation).__name__ == "TypeAliasType":  # `type X = …`, Python 3.12 and later
        yield from _flattened(annotation.__value__)
    elif get_origin(annotation) is Annotated:
        yield from _flattened(get_args(annotation)[0])
    elif get_origin(annotation) in (Union, types.UnionType):
        for member in get_args(annotation):
            yield from _flattened(member)
    else:
        yield annotation


def _effect_problem(effect: type[Effect]) -> str | None:
    """Return what is wrong with an effect class, None if nothing is."""
    if issubclass(effect, OUR_EFFECTS):
        return "is derived from one of pachyderm's own: emit that itself"
    if not callable(getattr(effect, "dispatch", None)):
        return "has no dispatch: define dispatch(self, config)"
    if takes_context(effect) is None:
        return "has a dispatch with other parameters: define dispatch(self, config) or dispatch(self, config, context)"
    for name in ("delivery", "max_attempts", "timeout"):
        if name in effect.model_fields:
            return f"has a field {name!r}, which is a class attribute's name: write {name} = … without annotation"
    if effect.delivery not in ("at_most_once", "at_least_once"):
        return f"has delivery = {effect.delivery!r}: write 'at_most_once' or 'at_least_once'"
    if type(effect.max_attempts) is not int or effect.max_attempts < 1:
        return f"has max_attempts = {effect.max_attempts!r}: write a whole number from 1"
    timeout = effect.timeout
    if timeout is not None and (type(timeout) not in (int, float) or not 0 < timeout <= _LONGEST_TIMEOUT):
        return f"has timeout = {timeout!r}: write seconds, more than 0, or None"
    return None


def _class_line(cls: type) -> int:
    try:
        return inspect.getsourcelines(cls)[1]
    except (OSError, TypeError):
        return 1
