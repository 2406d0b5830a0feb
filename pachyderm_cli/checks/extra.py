"""What the checks need beside the command."""

from importlib.util import find_spec

from pachyderm_cli.errors import UsageError


def require_hypothesis() -> None:
    """Raise UsageError, saying what to install, where Hypothesis is missing."""
    if find_spec("hypothesis") is None:
        raise UsageError("checks need Hypothesis, which is not installed; run: pip install 'pachyderm-cli[check]'")
