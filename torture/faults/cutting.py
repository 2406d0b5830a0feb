"""A proxy before a Postgres server that cuts connections around commits, as a network may.

It runs in a process of its own, and reads as much of the protocol as it takes to know a commit: a transaction's, and a
statement that writes events and commits by itself.
"""

import os
import select
import signal
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from random import Random
from typing import NoReturn

from torture.load.notes import note, notes

_CHUNK = 65536


class Cut(StrEnum):
    """When a connection is cut: what the server got of the commit, and who knows."""

    UNSENT = "unsent"
    """Before: the server got none of it."""
    TORN = "torn"
    """In the middle of it."""
    SENT = "sent"
    """The server got it, and nobody waits for what it makes of it."""
    UNANSWERED = "unanswered"
    """The server answered it, and the client never hears of that."""


class CuttingProxy:
    """Listens on a port of its own. Cuts until the server had got so many commits, then lets everything through."""

    def __init__(self, server_port: int, notes_file: Path, random: Random, chance: float, wanted: int) -> None:
        """Begin in a process of its own."""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._file = notes_file
        self._process = os.fork()
        if self._process == 0:
            _serve(self._listener, server_port, notes_file, random, chance, wanted)
        self._listener.close()

    def cuts(self) -> dict[Cut, int]:
        """Return how often a connection was cut, by when."""
        noted = [each["cut"] for each in notes(self._file)]
        return {each: noted.count(each) for each in Cut}

    def close(self) -> None:
        """End it."""
        os.kill(self._process, signal.SIGKILL)
        os.waitpid(self._process, 0)


def _serve(
    listener: socket.socket, server_port: int, file: Path, random: Random, chance: float, wanted: int
) -> NoReturn:
    lock, left = threading.Lock(), [wanted]

    def decide() -> Cut | None:
        with lock:
            if not left[0] or random.random() > chance:
                return None
            cut = random.choice(list(Cut))
            left[0] -= cut in (Cut.SENT, Cut.UNANSWERED)
            note(file, {"cut": cut})
            return cut

    while True:
        client, _ = listener.accept()
        threading.Thread(target=_relay, args=(client, server_port, decide), daemon=True).start()


def _relay(client: socket.socket, server_port: int, decide: Callable[[], Cut | None]) -> None:
    with client:
        try:
            server = socket.create_connection(("127.0.0.1", server_port))
        except OSError:
            return
        with server:
            for each in (client, server):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                _pass_on(client, server, decide)
            except OSError:
                return


def _pass_on(client: socket.socket, server: socket.socket, decide: Callable[[], Cut | None]) -> None:
    requests = _Requests()
    while True:
        readable, _, _ = select.select([client, server], [], [])
        if server in readable:
            data = server.recv(_CHUNK)
            if not data:
                return
            client.sendall(data)
        if client in readable:
            data = client.recv(_CHUNK)
            if not data:
                return
            cut = decide() if requests.commits(data) else None
            if cut is not None:
                _cut_off(data, client, server, cut)
                return
            server.sendall(data)


def _cut_off(data: bytes, client: socket.socket, server: socket.socket, cut: Cut) -> None:
    if cut is Cut.TORN:
        server.sendall(data[: len(data) // 2])
    elif cut is not Cut.UNSENT:
        server.sendall(data)
    if cut is Cut.UNANSWERED:
        server.settimeout(0.2)  # it may wait for the rest of a pipeline
        with suppress(TimeoutError):
            server.recv(_CHUNK)
    # A reset, not an end: what the client has not read yet is gone too.
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class _Requests:
    """What one connection's client has sent so far: which of its prepared statements commit."""

    def __init__(self) -> None:
        self._left = b""
        self._has_begun = False
        self._committing: dict[bytes, bool] = {}  # prepared statements, by name

    def commits(self, data: bytes) -> bool:
        """Tell whether there is a commit in what comes next."""
        self._left += data
        found = False
        while True:
            kind, body = self._next()
            if body is None:
                return found
            found |= self._is_commit(kind, body)

    def _next(self) -> tuple[bytes, bytes | None]:
        start = 0 if not self._has_begun else 1  # the first messages have no kind
        if len(self._left) < start + 4:
            return b"", None
        (length,) = struct.unpack_from("!I", self._left, start)
        if len(self._left) < start + length:
            return b"", None
        kind, body = self._left[:start], self._left[start + 4 : start + length]
        self._left = self._left[start + length :]
        if not kind:
            self._has_begun = body[:2] == b"\x00\x03"  # the protocol's version 3: not a request for encryption
        return kind, body

    def _is_commit(self, kind: bytes, body: bytes) -> bool:
        if kind == b"Q":
            return body.upper().startswith(b"COMMIT")
        if kind == b"P":
            name, _, rest = body.partition(b"\0")
            self._committing[name] = rest.upper().startswith(b"COMMIT") or b"INSERT INTO pachyderm_events" in rest
            return False
        if kind == b"B":
            _portal, _, rest = body.partition(b"\0")
            return self._committing.get(rest.partition(b"\0")[0], False)
        return False
