"""Writes what SQLite is told, compiled: `make statements`, after a change of a statement or a table."""

from __future__ import annotations

import json

from pachyderm_cli.store.compiled import AHEAD, all_ahead

AHEAD.write_text(json.dumps(all_ahead(), indent=1, sort_keys=True) + "\n", "utf-8")
