"""A project folder whose only entity is the account, for the commands."""

import json
from pathlib import Path

_MODULE = '''"""The account of the torture."""

from torture.load.account import *
from torture.load.account import handle
'''


def make_project(folder: Path, network: str, traces: Path) -> None:
    """Make a project in that network, whose effects leave their traces in that file."""
    (folder / "entities").mkdir(parents=True)
    (folder / "entities" / "account.py").write_text(_MODULE)
    told = f"traces = {json.dumps(str(traces))}"
    (folder / "pachyderm.toml").write_text(
        f'[store]\nnetwork = "{network}"\n[lookup]\ntypes = ["account"]\n[effects]\n{told}\n'
    )
