"""The commands by name: all that there are, each loaded when it is asked for."""

from pathlib import Path

import pytest

from pachyderm_cli.cli import commands
from pachyderm_cli.cli.catalogue import Catalogue

FOLDER = Path(commands.__file__).parent


def test_every_module_of_a_command_is_there() -> None:
    """A module in the folder of commands is a command, and the other way round; each knows its name."""
    catalogue = Catalogue()
    modules = {file.stem.rstrip("_") for file in FOLDER.glob("[!_]*.py")}
    assert len(catalogue) == len(modules)
    assert {name: command.name for name, command in catalogue.items()} == {name: name for name in modules}


def test_none_of_another_name_is_there() -> None:
    """Names of modules that are no commands are unknown."""
    catalogue = Catalogue()
    assert catalogue.get("import_") is None
    with pytest.raises(KeyError):
        catalogue["__init__"]
