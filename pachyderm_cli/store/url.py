"""Where a store is: its URL, read once."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, unquote

from pachyderm_cli.errors import ConfigError

_FORMS = "write sqlite:///FILE or postgresql+psycopg://USER@HOST/DATABASE"
_SQLITE = ("sqlite", "sqlite+pysqlite")
_SERVERS = ("postgresql", "postgres", "postgresql+psycopg")


@dataclass(frozen=True, slots=True)
class StoreUrl:
    """A store's URL; as text it shows no password, wherever in it that is.

    `file` is that of a SQLite store, None for a server. `whole` has every secret of it, for another process; `public`
    is what everybody may see, as a URL that libpq's own programs take.
    """

    shown: str
    whole: str = field(repr=False)
    file: Path | None = None
    public: str = ""
    secrets: tuple[str, ...] = field(default=(), repr=False)
    has_several_hosts: bool = False

    def __str__(self) -> str:
        return self.shown


def parse_url(text: str) -> StoreUrl:
    """Return what the store's URL says. Raises ConfigError unless it names a SQLite file or a Postgres database."""
    if "\0" in text or "%00" in text:
        raise ConfigError("the store's URL has a NUL in it, and no file, host or database can be called so")
    if not text.isascii() and any("\ud800" <= each <= "\udfff" for each in text):
        raise ConfigError("the store's URL is no text in UTF-8; give the file or the database another name")
    scheme, separator, rest = text.partition("://")
    if separator and scheme.lower() in _SQLITE:
        return _file_url(rest)
    if separator and scheme.lower() in _SERVERS:
        from pachyderm_cli.store.server import server_url  # noqa: PLC0415 - it loads SQLAlchemy, which a file needs not

        return server_url(f"{scheme.lower()}://{rest}")
    if separator and re.fullmatch(r"[\w+]+", scheme, re.ASCII):
        raise ConfigError(f"a store is SQLite or Postgres, not {scheme.lower()!r}; {_FORMS}")
    raise unreadable_url()


def unreadable_url() -> ConfigError:
    """Return the error for what is no URL. It does not quote it: there may be a password in it."""
    return ConfigError(f"the store's URL cannot be read; {_FORMS}")


def _file_url(rest: str) -> StoreUrl:
    host, _, quoted = rest.partition("/")
    file = unquote(quoted)
    if host or file in ("", ":memory:"):
        raise ConfigError("a SQLite store is a file that lasts; write sqlite:///FILE, or sqlite:////FOLDER/FILE")
    if "?" in quoted:
        raise ConfigError("a SQLite store's URL takes no options after '?'; write sqlite:///FILE")
    whole = f"sqlite:///{quote(file, safe=' +/')}"  # as SQLAlchemy writes it, which reads those of servers
    return StoreUrl(whole, whole, Path(file), whole)
