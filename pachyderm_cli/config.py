"""The configuration: `pachyderm.toml`, the environment and options, as one frozen and checked value."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pachyderm_cli.domain.naming import suggestion
from pachyderm_cli.errors import ConfigError
from pachyderm_cli.project import DEFAULT_ENTITIES, FILE_NAME, find_project, here, is_folder, read_toml

DEFAULT_STORE = "sqlite:///pachyderm.db"
DEFAULT_NETWORK = "default"

_LONGEST_NETWORK = 200
_PLACEHOLDER = re.compile(r"\$(?:\$|\{([A-Za-z_][A-Za-z0-9_]*)\})")
_SQLITE_FILE = re.compile(r"(sqlite(?:\+pysqlite)?:///)([^/].*)")
# What pydantic says of an error would quote the input, and a misplaced password with it.
_STRICT = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


class _StoreTable(BaseModel):
    model_config = _STRICT
    url: str = DEFAULT_STORE
    network: str = DEFAULT_NETWORK
    wait_seconds: float = Field(default=30, ge=0, le=86400)


class _SnapshotsTable(BaseModel):
    model_config = _STRICT
    every: int = Field(default=100, ge=0)


class _LookupTable(BaseModel):
    model_config = _STRICT
    types: list[str] = []


class _OutboxTable(BaseModel):
    model_config = _STRICT
    lease_seconds: float = Field(default=30, ge=0.5, le=86400)
    deliveries: int = Field(default=1000, ge=0)


class _NetworkTable(BaseModel):
    model_config = _STRICT
    url: str | None = None
    effects: dict[str, Any] | None = None


class _File(BaseModel):
    """The file, as its schema."""

    model_config = _STRICT
    entities: str = DEFAULT_ENTITIES
    store: _StoreTable = _StoreTable()
    snapshots: _SnapshotsTable = _SnapshotsTable()
    outbox: _OutboxTable = _OutboxTable()
    lookup: _LookupTable = _LookupTable()
    effects: dict[str, Any] = Field(default_factory=dict)
    networks: dict[str, _NetworkTable] = {}


_TABLES: dict[str, type[BaseModel]] = {
    "store": _StoreTable,
    "snapshots": _SnapshotsTable,
    "outbox": _OutboxTable,
    "lookup": _LookupTable,
    "networks": _NetworkTable,
}


class Config(BaseModel):
    """What a command or an engine runs with. `entities` is None outside of any project."""

    model_config = ConfigDict(frozen=True)
    project: Path | None
    entities: Path | None
    store_url: str = Field(repr=False)  # may hold a password
    network: str
    snapshots_every: int
    wait_seconds: float
    lease_seconds: float
    deliveries: int
    lookups: frozenset[str]
    effects: dict[str, Any] = Field(repr=False)
    networks: tuple[str, ...] = ()  # those that the file names, the usual one first
    named_store: str | None = Field(default=None, repr=False)  # by an option or the environment: for every network

    def place_of(self, network: str) -> tuple[str, dict[str, Any]]:
        """Return the store URL of a network, and what its effects are given. Raises ConfigError."""
        config = load_config(self.project, store=self.named_store, network=network)
        return config.store_url, config.effects

    def with_entities(self, folder: str | os.PathLike[str]) -> Config:
        """Return the same with the entity modules of another folder. Raises ConfigError."""
        path = Path(folder).resolve()
        if not is_folder(path):
            raise ConfigError(f"there is no folder of entity modules at {path}")
        return self.model_copy(update={"entities": path})


def load_config(
    project: str | os.PathLike[str] | None = None,
    *,
    store: str | None = None,
    network: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> Config:
    """Return the configuration for `project`, or for the nearest project upwards from the current folder.

    An argument wins over the environment (PACHYDERM_PROJECT, PACHYDERM_STORE, PACHYDERM_NETWORK), the
    environment over the file. Outside of any project, a store named by argument or environment will do.
    Raises ConfigError.
    """
    env = os.environ if environment is None else environment
    # An empty variable counts as none; an empty argument is a mistake that is told.
    store = (env.get("PACHYDERM_STORE") or None) if store is None else store
    network = (env.get("PACHYDERM_NETWORK") or None) if network is None else network
    project = (env.get("PACHYDERM_PROJECT") or None) if project is None else project
    folder = find_project(project, required=store is None)
    file = _File() if folder is None else _read(folder / FILE_NAME)
    network = file.store.network if network is None else network
    for each in (network, *file.networks):
        require_network(each)
    table = file.networks.get(network, _NetworkTable())
    if store is None:
        assert folder is not None  # noqa: S101 - for mypy: without a store a project is required
        key = "store.url" if table.url is None else f"networks.{network}.url"
        url = _expanded(table.url or file.store.url, key, env, in_url=True)
        store_url = _relative_to(url, folder)
    else:
        store_url = _relative_to(store, None)
    return Config(
        project=folder,
        entities=None if folder is None else _entities_folder(folder, file.entities),
        store_url=store_url,
        network=network,
        snapshots_every=file.snapshots.every,
        wait_seconds=file.store.wait_seconds,
        lease_seconds=file.outbox.lease_seconds,
        deliveries=file.outbox.deliveries,
        lookups=frozenset(file.lookup.types),
        effects=_effects_of(file, network, env),
        networks=tuple(dict.fromkeys([file.store.network, *file.networks])),
        named_store=store,
    )


def _entities_folder(project: Path, named: str) -> Path:
    try:
        return (project / named).resolve()
    except ValueError:
        told = f"{project / FILE_NAME}: entities: {named!r} is no folder's name: it has a NUL"
        raise ConfigError(told, file=str(project / FILE_NAME), key="entities") from None


def _effects_of(file: _File, network: str, env: Mapping[str, str]) -> dict[str, Any]:
    """Return what a network's effects are given: its own table, or else the one of all."""
    own = file.networks.get(network, _NetworkTable()).effects
    key, table = ("effects", file.effects) if own is None else (f"networks.{network}.effects", own)
    expanded: dict[str, Any] = _expanded_values(table, key, env)
    return expanded


def _read(path: Path) -> _File:
    raw = read_toml(path)
    try:
        return _File.model_validate(raw)
    except ValidationError as error:
        raise _invalid(path, error) from error


def _invalid(path: Path, error: ValidationError) -> ConfigError:
    first = error.errors(include_url=False, include_input=False)[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        known = suggestion(str(first["loc"][-1]), _TABLES.get(str(first["loc"][0]), _File).model_fields)
        return ConfigError(f"{path}: there is no key {key}; {known}", file=str(path), key=key)
    return ConfigError(f"{path}: {key}: {first['msg']}", file=str(path), key=key)


def require_network(network: str) -> None:
    """Raise ConfigError unless `network` can be a network's name."""
    if not network or not network.isprintable() or len(network) > _LONGEST_NETWORK:
        raise ConfigError(f"{network[:80]!r} is no name of a network: use 1 to {_LONGEST_NETWORK} printable characters")


def _expanded(text: str, key: str, env: Mapping[str, str], *, in_url: bool = False) -> str:
    """Return `text` with every ${NAME} replaced from the environment, `$$` by a dollar.

    Inside a URL a value is percent-encoded, since a password may hold any character; where a placeholder is the
    whole URL, its value is one.
    """
    whole = in_url and _PLACEHOLDER.fullmatch(text) is not None

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if name is None:
            return "$"
        if name not in env:
            raise ConfigError(f"{key} in {FILE_NAME} names ${{{name}}}, which the environment does not have", key=key)
        return quote(env[name], safe="") if in_url and not whole else env[name]

    return _PLACEHOLDER.sub(value, text)


def _expanded_values(value: Any, key: str, env: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: _expanded_values(inner, f"{key}.{name}", env) for name, inner in value.items()}
    if isinstance(value, list):
        return [_expanded_values(inner, key, env) for inner in value]
    return _expanded(value, key, env) if isinstance(value, str) else value


def _relative_to(url: str, folder: Path | None) -> str:
    """Return a SQLite URL with its file's path made absolute, from `folder` or else from here; any other as it is."""
    match = _SQLITE_FILE.fullmatch(url)
    if match is None or match.group(2).startswith(":memory:"):
        return url
    # In a URL a folder's name may not say ? or %, and the rest is one already.
    beside = str(here() if folder is None else folder)
    try:
        return f"{match.group(1)}{quote(beside, safe='/')}/{match.group(2)}"
    except UnicodeEncodeError:
        raise ConfigError(
            f"the folder {beside} has a name that is no UTF-8, and a store's URL is; rename it, or name another store"
        ) from None
