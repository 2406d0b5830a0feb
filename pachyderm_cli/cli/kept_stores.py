"""The stores that a project knows, none of which a command that makes a file may replace."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from pachyderm_cli.config import Config, load_config
from pachyderm_cli.errors import ConfigError
from pachyderm_cli.store.existing import require_outside
from pachyderm_cli.store.store import Store


def require_no_store(config: Config, file: str) -> None:
    """Raise UsageError for a file of the store in use, or of one that pachyderm.toml gives to any network."""
    for store in _stores(config):
        require_outside(store, Path(file).absolute())


def _stores(config: Config) -> Iterator[Store]:
    yield Store(config.store_url)
    if config.project is None:
        return
    of_the_file = {**os.environ, "PACHYDERM_STORE": ""}  # an option, or the environment, may name another just now
    for network in config.networks:
        with suppress(ConfigError):  # a password that is not set: it need not be, unless the store is used
            yield Store(load_config(config.project, network=network, environment=of_the_file).store_url)
