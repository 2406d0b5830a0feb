"""Loading entity modules from a folder: one identity for each class, one project apart from another."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from entities import counter
from pachyderm_cli import Message, Pachyderm
from pachyderm_cli.engine.loader import FolderEntityTypes, ModuleEntityTypes, NoEntityTypes
from pachyderm_cli.errors import ConfigError, EntityLoadError, UnknownEntityType
from tests.support.modules import COUNTER, line_of, write

Open = Callable[..., FolderEntityTypes]

TRANSFER = """\
{imports}
from pachyderm_cli import Message


class Transfer(Message):
    inner: Increment


def init() -> State:
    return State()


def handle(message: Increment | Transfer, state: State) -> list[Increased]:
    return [Increased(amount=1)]


def update(event: Increased, state: State) -> State:
    return State(count=state.count + event.amount)
"""

STYLES = {
    "absolute": "from entities.counter import Increased, Increment, State",
    "relative": "from .counter import Increased, Increment, State",
    "a module": "import entities.counter\nfrom entities import counter\n"
    "Increased, Increment, State = counter.Increased, entities.counter.Increment, counter.State",
    "a renamed module": "import entities.counter as c\nIncreased, Increment, State = c.Increased, c.Increment, c.State",
    "a star": "from entities.counter import *",
}


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    """Return a function that writes a project's modules and opens them; all are closed after the test."""
    every: list[FolderEntityTypes] = []

    def open_(modules: dict[str, str], project: str = "project") -> FolderEntityTypes:
        types = FolderEntityTypes(write(tmp_path / project, modules))
        every.append(types)
        return types

    yield open_
    for types in every:
        types.close()


def failure(types: FolderEntityTypes, name: str) -> EntityLoadError:
    """Return the error that loading raises."""
    with pytest.raises(EntityLoadError) as caught:
        types.get(name)
    return caught.value


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("first", ["counter", "transfer"])
def test_modules_import_one_another(opened: Open, style: str, first: str) -> None:
    """However it is written and whichever is loaded first, a class has one identity."""
    types = opened({"counter": COUNTER, "transfer": TRANSFER.replace("{imports}", STYLES[style])})
    types.get(first)
    assert types.get("transfer").events["Increased"] is types.get("counter").events["Increased"]
    assert types.get("transfer").messages["Increment"] is types.get("counter").messages["Increment"]


def test_modules_may_be_nested(opened: Open) -> None:
    """billing/invoice.py is `billing.invoice`, with or without an `__init__.py`, and imports up and down."""
    invoice = TRANSFER.replace(
        "{imports}", "from ..counter import Increased, Increment\nfrom entities.billing._state import State"
    )
    state = "from pydantic import BaseModel\n\nclass State(BaseModel):\n    count: int = 0\n"
    types = opened(
        {
            "counter": COUNTER,
            "billing.invoice": invoice,
            "billing._state": state,
            "shop.__init__": "",
            "shop.till": TRANSFER.replace("{imports}", "from entities.billing.invoice import *"),
        }
    )
    assert types.names() == ["billing.invoice", "counter", "shop.till"]
    assert types.get("billing.invoice").name == "billing.invoice"
    assert types.get("shop.till").events["Increased"] is types.get("counter").events["Increased"]


def test_what_begins_with_an_underscore_is_no_entity(opened: Open) -> None:
    """Such modules are there to be imported; asked for as a type they are unknown."""
    types = opened({"counter": COUNTER, "_helper": "X = 1"})
    assert types.names() == ["counter"]
    with pytest.raises(UnknownEntityType):
        types.get("_helper")


def test_a_type_is_loaded_once(opened: Open) -> None:
    """Asked for again, it is the same."""
    types = opened({"counter": COUNTER})
    assert types.get("counter") is types.get("counter")


def test_two_projects_do_not_mix(opened: Open) -> None:
    """Packages of the same name are each their own project's, both open in one process."""
    other = COUNTER.replace("amount: int = 1", "amount: int = 2")
    transfer = TRANSFER.replace("{imports}", STYLES["absolute"])
    one = opened({"counter": COUNTER, "transfer": transfer}, "one")
    two = opened({"counter": other, "transfer": transfer}, "two")
    defaults = [types.get("transfer").messages["Increment"]().model_dump() for types in (one, two, one)]
    assert defaults == [{"amount": 1}, {"amount": 2}, {"amount": 1}]
    assert one.get("counter").messages["Increment"] is not two.get("counter").messages["Increment"]
    assert one.get("counter").messages["Increment"] is not counter.Increment


def test_a_project_does_not_shadow_the_importable_package(opened: Open) -> None:
    """What `import entities` means in this process is the same after a project of that name was opened."""
    opened({"counter": COUNTER}).get("counter")
    assert sys.modules["entities.counter"] is counter


def test_a_closed_project_leaves_nothing_behind(opened: Open) -> None:
    """Its modules are forgotten."""
    before = set(sys.modules)
    types = opened({"counter": COUNTER, "transfer": TRANSFER.replace("{imports}", STYLES["relative"])})
    types.get("transfer")
    assert set(sys.modules) != before
    types.close()
    assert set(sys.modules) == before


def test_code_that_changed_is_used_after_reopening(opened: Open) -> None:
    """A file of the same size, written within the same moment, is read anew."""
    assert opened({"counter": COUNTER}).get("counter").messages["Increment"]().model_dump() == {"amount": 1}
    changed = opened({"counter": COUNTER.replace("amount: int = 1", "amount: int = 2")})
    assert changed.get("counter").messages["Increment"]().model_dump() == {"amount": 2}


def test_a_folder_on_the_path_is_imported_under_its_name() -> None:
    """In a script beside its own project the user's classes are the engine's."""
    types = FolderEntityTypes(Path(counter.__file__).parent)
    assert types.get("counter").messages["Increment"] is counter.Increment
    types.close()
    assert sys.modules["entities.counter"] is counter


BROKEN = {
    "a syntax error": ("def handle(:", "syntax error", "def handle(:"),
    "an import that is not there": ("import nothing_of_that_name", "ModuleNotFoundError", "import nothing"),
    "a name that is not there": ("from entities.counter import Nothing", "ImportError", "from entities"),
    "an exception": ("x = 1 / 0", "ZeroDivisionError", "x = 1"),
    "leaving": ("raise SystemExit(2)", "SystemExit: 2", "raise SystemExit"),
    "null bytes": ("x = '\0'", "", None),
    "a class that pydantic refuses": (
        "from pachyderm_cli import Event\n\nclass A(Event):\n    a: object()",
        "PydanticSchemaGenerationError",
        "class A",
    ),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_module_is_named_with_its_line(opened: Open, broken: str) -> None:
    """File and line say where; the other modules load, and so does this one once it is mended."""
    line, said, start = BROKEN[broken]
    source = f'"""A module."""\n\n{line}\n'
    types = opened({"counter": COUNTER, "broken": source})
    error = failure(types, "broken")
    file = error.details["file"]
    assert file.endswith("/entities/broken.py")
    assert said in error.message
    assert error.message.startswith(f"{file}:{error.details['line']}: ")
    if start is not None:
        assert error.details["line"] == line_of(source, start)
    assert types.get("counter").name == "counter"
    assert failure(types, "broken").details == error.details
    Path(file).write_text(COUNTER)
    assert types.get("broken").name == "broken"


def test_an_error_in_an_imported_module_names_that(opened: Open) -> None:
    """Where a helper is broken, its file and line are named, not the importer's."""
    types = opened({"_helper": "\n\nx = 1 / 0\n", "counter": "import entities._helper\n" + COUNTER})
    error = failure(types, "counter")
    assert (error.details["file"].rpartition("/")[2], error.details["line"]) == ("_helper.py", 3)
    types = opened({"_helper": "\n\n\nx = (\n", "counter": "import entities._helper\n" + COUNTER}, "other")
    error = failure(types, "counter")
    assert (error.details["file"].rpartition("/")[2], error.details["line"]) == ("_helper.py", 4)


@pytest.mark.parametrize(
    "name", ["../outside", "..outside", "outside", "Counter", "counter.py", "", ".", "counter.", "os", "__init__"]
)
def test_a_type_cannot_leave_its_folder(opened: Open, tmp_path: Path, name: str) -> None:
    """What is not in the listing is unknown, whatever Python could import under that name."""
    types = opened({"counter": COUNTER})
    (tmp_path / "project" / "outside.py").write_text("raise RuntimeError('was run')")
    with pytest.raises(UnknownEntityType):
        types.get(name)


def test_an_unknown_type_is_told_the_nearest(opened: Open) -> None:
    """The error names the folder, the nearest type and what there is."""
    with pytest.raises(UnknownEntityType, match="did you mean counter"):
        opened({"counter": COUNTER}).get("conter")


def test_a_missing_folder_is_a_matter_of_the_configuration(tmp_path: Path) -> None:
    """Without the folder there are no names, and loading says how to have it."""
    types = FolderEntityTypes(tmp_path / "nowhere")
    assert types.names() == []
    with pytest.raises(ConfigError, match="there is no folder of entity modules"):
        types.get("counter")


def test_modules_in_memory_are_known_by_their_names() -> None:
    """A module of the package `entities` is named without it; a mapping names its own."""
    assert ModuleEntityTypes([counter]).names() == ["counter"]
    assert ModuleEntityTypes({"visits": counter}).names() == ["visits"]
    with pytest.raises(UnknownEntityType, match="did you mean visits"):
        ModuleEntityTypes({"visits": counter}).get("visit")


def test_a_module_in_memory_that_is_no_entity_is_refused() -> None:
    """It is read at once, so that the error comes where it was given."""
    with pytest.raises(EntityLoadError):
        ModuleEntityTypes([ModuleType("empty")])


def test_outside_of_a_project_there_are_no_types() -> None:
    """The error says how to have a project."""
    assert NoEntityTypes().names() == []
    with pytest.raises(UnknownEntityType, match="run pachyderm init"):
        NoEntityTypes().get("counter")


def test_a_class_imported_twice_is_taken_for_the_same(tmp_path: Path, sqlite_url: str) -> None:
    """A message of the same class of the same file, imported under another name, is accepted; another is not."""
    write(tmp_path, {"counter": COUNTER})
    (tmp_path / "pachyderm.toml").touch()
    with Pachyderm.open(tmp_path, store=sqlite_url) as one, Pachyderm.open(tmp_path, store=sqlite_url) as two:
        message: Message = two.message("counter", "increment", {"amount": 3})
        assert one.send("counter:@a", message).state.count == 3
        with pytest.raises(Exception, match="takes no message of the class entities"):
            one.send("counter:@a", counter.Increment())


def test_a_package_with_its_own_module_runs_it(tmp_path: Path) -> None:
    """What `entities/__init__.py` defines can be imported from the package, under whatever name that is loaded."""
    source = COUNTER.replace("from pachyderm_cli import", "from entities import RATE\nfrom pachyderm_cli import")
    folder = write(tmp_path, {"__init__": "RATE = 3\n", "counter": source})
    types = FolderEntityTypes(folder)
    assert types.get("counter").name == "counter"
    assert types.names() == ["counter"]
    types.close()


def test_a_namespace_of_two_projects_is_neither(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With both folders on the path, each project still runs its own modules."""
    folders = [write(tmp_path / name, {"counter": COUNTER}) for name in ("one", "two")]
    for folder in folders:
        monkeypatch.syspath_prepend(folder.parent)
    monkeypatch.delitem(sys.modules, "entities", raising=False)
    both = [FolderEntityTypes(folder) for folder in folders]
    assert [types.get("counter").file for types in both] == [str(folder / "counter.py") for folder in folders]
    for types in both:
        types.close()


@pytest.mark.parametrize("value", ["functools.partial(handle_, 1)", "Callable_()"])
def test_a_handle_that_is_no_function_is_refused(tmp_path: Path, value: str) -> None:
    """What has no annotations of its own cannot say what it takes."""
    source = "import functools\n" + COUNTER.replace("def handle(", "def handle_(")
    source += f"\n\nclass Callable_:\n    def __call__(self, message, state): ...\n\n\nhandle = {value}\n"
    with pytest.raises(EntityLoadError, match="not a function"):
        FolderEntityTypes(write(tmp_path, {"counter": source})).get("counter")
