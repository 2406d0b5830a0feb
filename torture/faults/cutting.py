"""A proxy before a Postgres server that cuts connections around commits, as a network may.

It runs in a process of its own. A cut is noted once it has happened, with the messages whose events the commit holds,
and the first time that one of them is written again: its sender did not find in the log what was cut off.
"""

import os
import select
import signal
import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from random import Random
from typing import NamedTuple, NoReturn

from torture.faults.protocol import Commit, Dialogue
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
    """The server answered that it is committed, and the client never hears of that."""
    MISSED = "missed"
    """It was to be one of the last two, and the server did not get it whole, or did not say that it is committed."""


_SECONDS = 2.0
"""How long the rest of a request, or its answer, is waited for."""


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

    def cuts(self) -> list[tuple[Cut, list[str]]]:
        """Return when each connection was cut, and the ids of the messages whose events were to be committed."""
        return [(Cut(each["cut"]), each["messages"]) for each in notes(self._file) if "cut" in each]

    def written_again(self) -> list[tuple[int, str]]:
        """Return what was cut and written again: the index of the cut, the message's id."""
        return [(each["again"], each["message"]) for each in notes(self._file) if "again" in each]

    def close(self) -> None:
        """End it."""
        os.kill(self._process, signal.SIGKILL)
        os.waitpid(self._process, 0)


class _Cuts:
    """What was cut so far, and what is to be, for all connections."""

    def __init__(self, file: Path, random: Random, chance: float, wanted: int) -> None:
        self._file, self._random, self._chance, self._wanted = file, random, chance, wanted
        self._lock = threading.Lock()
        self._count = 0
        self._doubtful: dict[str, int] = {}  # messages, with the last cut of each

    def decide(self) -> Cut | None:
        """Return how a commit is to be cut, if it is."""
        with self._lock:
            if self._wanted <= 0 or self._random.random() > self._chance:
                return None
            return self._random.choice([Cut.UNSENT, Cut.TORN, Cut.SENT, Cut.UNANSWERED])

    def happened(self, cut: Cut, messages: list[str]) -> None:
        """Note a cut that was made; only that of a send counts towards what is wanted."""
        with self._lock:
            self._wanted -= bool(messages) and cut in (Cut.SENT, Cut.UNANSWERED)
            self._doubtful.update(dict.fromkeys(messages, self._count))
            self._count += 1
            note(self._file, {"cut": cut, "messages": messages})

    def written(self, messages: list[str]) -> None:
        """Note which of the messages that are written now were cut before."""
        with self._lock:
            for each in messages:
                cut = self._doubtful.pop(each, None)
                if cut is not None:
                    note(self._file, {"again": cut, "message": each})


def _serve(
    listener: socket.socket, server_port: int, file: Path, random: Random, chance: float, wanted: int
) -> NoReturn:
    cuts = _Cuts(file, random, chance, wanted)
    while True:
        client, _ = listener.accept()
        threading.Thread(target=_relay, args=(client, server_port, cuts), daemon=True).start()


def _relay(client: socket.socket, server_port: int, cuts: _Cuts) -> None:
    with client:
        try:
            server = socket.create_connection(("127.0.0.1", server_port))
        except OSError:
            return
        with server:
            for each in (client, server):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                _pass_on(client, server, cuts)
            except OSError:
                return


def _pass_on(client: socket.socket, server: socket.socket, cuts: _Cuts) -> None:
    dialogue = Dialogue()
    while True:
        readable, _, _ = select.select([client, server], [], [])
        if server in readable:
            data = server.recv(_CHUNK)
            if not data:
                return
            dialogue.answers(data)
            client.sendall(data)
        if client in readable:
            data = client.recv(_CHUNK)
            if not data:
                return
            commit = dialogue.asks(data)
            if commit is not None:
                cuts.written(commit.messages)
                cut = cuts.decide()
                if cut is not None:
                    cuts.happened(_cut_off(cut, commit, data, _Ends(client, server, dialogue)), commit.messages)
                    return
            server.sendall(data)


class _Ends(NamedTuple):
    """Both ends of a connection, and what they said."""

    client: socket.socket
    server: socket.socket
    dialogue: Dialogue


def _cut_off(cut: Cut, commit: Commit, data: bytes, ends: _Ends) -> Cut:
    """Cut a connection at a commit in `data`; return how it was cut in fact."""
    with suppress(OSError):  # the server may be gone by itself
        if cut is Cut.TORN:
            ends.server.sendall(data[: max(0, commit.end - 3)])  # all but the end of what commits
        elif cut is not Cut.UNSENT:
            ends.server.sendall(data)
            _go_on(ends, lambda: commit.is_whole if cut is Cut.SENT else commit.is_answered)
    # A reset, not an end: what the client has not read yet is gone too.
    ends.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    ends.client.close()
    ends.server.close()
    is_missed = (cut is Cut.SENT and not commit.is_whole) or (cut is Cut.UNANSWERED and not _is_answered(commit))
    return Cut.MISSED if is_missed else cut


def _is_answered(commit: Commit) -> bool:
    return commit.is_done if commit.messages else commit.is_answered


def _go_on(ends: _Ends, is_enough: Callable[[], bool]) -> None:
    """Pass on what the client says, and keep what the server says, until it is enough."""
    end = time.monotonic() + _SECONDS
    while not is_enough() and (left := end - time.monotonic()) > 0:
        readable, _, _ = select.select([ends.client, ends.server], [], [], left)
        for each in readable:
            data = each.recv(_CHUNK)
            if not data:
                return
            if each is ends.server:
                ends.dialogue.answers(data)
            else:
                ends.dialogue.asks(data)
                ends.server.sendall(data)
