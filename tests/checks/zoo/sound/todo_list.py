"""A to-do list: a mutable dataclass with lists of others, of which every update makes new ones; handle gives lists."""

from dataclasses import dataclass, field, replace
from typing import Annotated, Any

from pydantic import Field

from pachyderm_cli import Event, Message, Rejected

Text = Annotated[str, Field(min_length=1, max_length=80)]
Number = Annotated[int, Field(ge=1, le=12)]


class Add(Message):
    text: Text
    urgent: bool = False


class Finish(Message):
    number: Number


class Rename(Message):
    number: Number
    text: Text


class Sweep(Message):
    """Drop all that is finished."""


class Added(Event):
    number: int
    text: str
    urgent: bool


class Finished(Event):
    number: int


class Renamed(Event):
    number: int
    text: str


class Dropped(Event):
    number: int


@dataclass
class Task:
    number: int
    text: str
    urgent: bool = False
    finished: bool = False


@dataclass
class TodoList:
    tasks: list[Task] = field(default_factory=list)
    last_number: int = 0


def init() -> TodoList:
    """Return the empty list."""
    return TodoList()


def invariant(state: TodoList) -> bool:
    """Whether the urgent tasks come first, and no number is there twice."""
    numbers = [task.number for task in state.tasks]
    urgent = [task.urgent for task in state.tasks]
    return len(set(numbers)) == len(numbers) and urgent == sorted(urgent, reverse=True)


def handle(message: Add | Finish | Rename | Sweep, state: TodoList) -> list[Added | Finished | Renamed | Dropped]:
    """Decide on one message; finishing twice changes nothing."""
    match message:
        case Add(text=text, urgent=urgent):
            return [Added(number=state.last_number + 1, text=text, urgent=urgent)]
        case Finish(number=number):
            return [] if _task(number, state).finished else [Finished(number=number)]
        case Rename(number=number, text=text):
            return [Renamed(number=number, text=text)] if _task(number, state).text != text else []
        case Sweep():
            return [Dropped(number=task.number) for task in state.tasks if task.finished]


def _task(number: int, state: TodoList) -> Task:
    for task in state.tasks:
        if task.number == number:
            return task
    raise Rejected(f"there is no task {number}")


def update(event: Added | Finished | Renamed | Dropped, state: TodoList) -> TodoList:
    """Return the list after `event`."""
    match event:
        case Added(number=number, text=text, urgent=urgent):
            tasks = list(state.tasks)
            tasks.append(Task(number, text, urgent))
            tasks.sort(key=lambda task: not task.urgent)
            return TodoList(tasks, number)
        case Finished(number=number):
            return _changed(state, number, finished=True)
        case Renamed(number=number, text=text):
            return _changed(state, number, text=text)
        case Dropped(number=number):
            return replace(state, tasks=[task for task in state.tasks if task.number != number])


def _changed(state: TodoList, number: int, **changes: Any) -> TodoList:
    tasks = [replace(task, **changes) if task.number == number else task for task in state.tasks]
    return replace(state, tasks=tasks)
