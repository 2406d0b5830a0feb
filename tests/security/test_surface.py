"""What is said to hold of every command is tried on every command."""

from pachyderm_cli.cli.catalogue import Catalogue
from tests.security.surface import calls, names


def test_no_command_is_left_out() -> None:
    """A new command fails here until it has its place among those that are run with values to be found again."""
    tops = set(Catalogue())
    called = set()
    for call in calls():
        start = next(index for index, each in enumerate(call.arguments) if each in tops)
        called |= {call.arguments[start : start + 1], call.arguments[start : start + 2]}
    assert names() - called == set()
