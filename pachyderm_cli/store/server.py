"""A Postgres server: its URL as SQLAlchemy reads it, and connections whose commits are durable."""

from __future__ import annotations

import logging
import re
from importlib.util import find_spec
from typing import Any

from sqlalchemy import URL, NullPool, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError

from pachyderm_cli.errors import ConfigError, StoreError
from pachyderm_cli.store.connection import Database
from pachyderm_cli.store.url import StoreUrl, unreadable_url

# What the driver logs when a connection is lost is raised as well, and told once.
logging.getLogger("psycopg").addHandler(logging.NullHandler())

_DURABLE = ("on", "remote_apply")

_SHOWN = {"host", "hostaddr", "port", "sslmode", "connect_timeout", "application_name", "target_session_attrs"}
"""The names of what a URL's query may hold and everybody may see; all else might be a secret."""

# The user and the password are what SQLAlchemy takes for them: a comma in a password is none of the hosts'.
_SEVERAL_HOSTS = re.compile(
    r"(postgres[a-z+]*://(?:[^:/@]*(?::[^@]*)?@)?+)([^/?#@]*,[^/?#@]*)((?:/[^?]*)?)(?:\?(.*))?", re.DOTALL
)
_HOST = re.compile(r"(?:\[([^\]]+)\]|([^:\[]*))(?::(\d*))?")  # an address of IPv6 is in brackets


def server_url(text: str) -> StoreUrl:
    """Return what the URL of a Postgres database says. Raises ConfigError."""
    try:
        url = make_url(_with_hosts_apart(text))
    except (ArgumentError, ValueError):
        raise unreadable_url() from None  # the text may hold a password, and the cause quotes it
    if text.count("@") > 1:  # half a password would be taken for a host or a database, and shown
        raise ConfigError("the store's URL has a second '@', perhaps inside its password; write it as %40")
    _require_host_names(url)
    if find_spec("psycopg") is None:
        raise ConfigError("Postgres needs its driver: pip install 'pachyderm-cli[postgres]'")
    url = url.set(drivername="postgresql+psycopg")
    secret = [name for name in url.query if name not in _SHOWN]
    public = url.set(drivername="postgresql")._replace(password=None)
    return StoreUrl(
        shown=url.update_query_dict(dict.fromkeys(secret, "***")).render_as_string(hide_password=True),
        whole=url.render_as_string(hide_password=False),
        public=public.difference_update_query(secret).render_as_string(),
        secrets=_secrets(url),
        has_several_hosts=_has_several_hosts(url),
    )


def _secrets(url: URL) -> tuple[str, ...]:
    """Return what of `url` is not to be shown."""
    given = [value for name, value in url.query.items() if name not in _SHOWN]
    values = [each for value in given for each in ([value] if isinstance(value, str) else value)]
    return tuple([str(each) for each in (url.password, *values) if each])


def _has_several_hosts(url: URL) -> bool:
    hosts = url.query.get("host", ())
    return len(hosts) > 1 if isinstance(hosts, tuple) else "," in hosts or "," in (url.host or "")


def _with_hosts_apart(text: str) -> str:
    """Return a URL of several hosts, `HOST:PORT,HOST:PORT`, in the way that SQLAlchemy reads: in its query."""
    found = _SEVERAL_HOSTS.fullmatch(text)
    parts = [_HOST.fullmatch(each) for each in found[2].split(",")] if found else []
    if found is None or not all(parts):
        return text
    hosts, ports = zip(*((part[1] or part[2], part[3] or "") for part in parts if part), strict=True)
    query = [f"host={','.join(hosts)}", *([f"port={','.join(ports)}"] if any(ports) else []), *filter(None, [found[4]])]
    return f"{found[1]}{found[3] or '/'}?{'&'.join(query)}"


def _require_host_names(url: URL) -> None:
    """Refuse a host that no name server could be asked for: the driver's own error would be none of a database's."""
    if any(each in (url.host or "") for each in ",[]"):  # several are told apart before
        raise ConfigError("the store's URL has hosts that cannot be told apart; write HOST:PORT,HOST:PORT")
    named = url.query.get("host", ())
    for host in (url.host or "", *(",".join([named] if isinstance(named, str) else named)).split(",")):
        try:
            host.encode("utf-8" if host.startswith("/") else "idna")  # a folder is the place of a server's socket
        except UnicodeError:
            # Not what: it may be half of a password.
            raise ConfigError("the store's URL names a host that no host can be called") from None


def server_database(url: StoreUrl) -> Database:
    """Return what connects to the database of `url`. Its every connection commits durably, as it tells itself."""
    read = make_url(url.whole)
    # Single statements commit by themselves, in one round trip; longer transactions are begun by `Store`.
    arguments = {**_defaults(read, several_hosts=url.has_several_hosts), "autocommit": True}
    # No column is of the type that SQLAlchemy would look for, in a transaction of its own.
    engine = create_engine(read, connect_args=arguments, poolclass=NullPool, use_native_hstore=False)
    event.listen(engine, "connect", _set_up)

    def connect() -> Any:
        made = engine.raw_connection()
        connection = made.driver_connection
        made.detach()
        return connection

    return Database("postgresql", connect)


def _defaults(url: URL, *, several_hosts: bool) -> dict[str, Any]:
    """Return what libpq is told where the URL does not say otherwise."""
    defaults: dict[str, Any] = {
        "application_name": "pachyderm",
        "connect_timeout": 10,  # seconds
        # Where a server is gone without a word, the network would take hours to say so.
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 4,
        "tcp_user_timeout": 30_000,  # milliseconds
    }
    if several_hosts:
        defaults["target_session_attrs"] = "read-write"  # of a primary and its standbys, the primary
    return {name: value for name, value in defaults.items() if name not in url.query}


def _set_up(connection: DBAPIConnection, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("SHOW synchronous_commit")
    if cursor.fetchall()[0][0] not in _DURABLE:
        cursor.execute("SET synchronous_commit TO on")
        cursor.execute("SHOW synchronous_commit")
        if cursor.fetchall()[0][0] not in _DURABLE:
            raise StoreError("Postgres did not take synchronous_commit=on, without which a commit may be lost")
    cursor.close()
    from psycopg.types.string import TextLoader  # noqa: PLC0415 - loaded with the driver only

    connection.adapters.register_loader("uuid", TextLoader)
