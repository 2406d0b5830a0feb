"""What the checks need beside the command."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from tempfile import TemporaryDirectory

from pachyderm_cli.errors import UsageError

_STORAGE = "HYPOTHESIS_STORAGE_DIRECTORY"


def require_hypothesis() -> None:
    """Raise UsageError, saying what to install, where Hypothesis is missing."""
    if find_spec("hypothesis") is None:
        raise UsageError("checks need Hypothesis, which is not installed; run: pip install 'pachyderm-cli[check]'")


@contextmanager
def no_leftovers() -> Iterator[None]:
    """Let Hypothesis keep what it makes in a temporary folder, and not in the current one, unless told where."""
    with TemporaryDirectory(prefix="pachyderm-check-") as folder:
        is_told = _STORAGE in os.environ
        os.environ.setdefault(_STORAGE, folder)
        try:
            yield
        finally:
            if not is_told:
                del os.environ[_STORAGE]
