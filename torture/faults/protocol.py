"""As much of Postgres's protocol as it takes to know, from between both ends, what a connection commits.

A commit is a transaction's COMMIT, or a statement that writes events outside of any, which commits by itself.
"""

import re
import struct
from collections import deque
from dataclasses import dataclass, field

_EVENTS = b"INSERT INTO pachyderm_events "
_INSERT = re.compile(rb"INSERT INTO pachyderm_events \(([^)]*)\) SELECT (.*?)\s+FROM ", re.DOTALL)
_ENCRYPTION = (80877103, 80877104)  # requests that are answered by one byte


@dataclass
class Commit:
    """A commit that is under way: which messages' events are in it, and what the server said of it."""

    messages: list[str] = field(default_factory=list)
    inserted: int = 0
    """Rows that the server says were inserted into the log."""
    end: int = 0
    """Where the request for it ends in what the client sent with it."""
    is_whole: bool = False
    """Whether the client sent all that goes with it, so that the server needs nothing more to carry it out."""
    tag: bytes | None = None
    """What the server says was done."""
    is_answered: bool = False
    """Whether the server said after it that the transaction is over."""

    @property
    def is_done(self) -> bool:
        """Whether the server said that it is committed, with events in it."""
        return self.is_answered and self.tag is not None and self.tag != b"ROLLBACK" and self.inserted > 0


@dataclass
class _Prepared:
    """A statement that the client had the server prepare."""

    text: bytes
    message_parameter: int | None = None
    """Which parameter is the id of the message, where it writes events."""

    @classmethod
    def of(cls, text: bytes) -> "_Prepared":
        return cls(text.lstrip().upper()[:8], _message_parameter(text) if _EVENTS in text else None)


class Dialogue:
    """What was said on one connection so far."""

    def __init__(self) -> None:
        """Begin where nobody has said anything."""
        self._asked, self._answered = b"", b""
        self._has_begun = False
        self._single_bytes = 0  # that the server answers before it begins with messages
        self._statements: dict[bytes, _Prepared] = {}
        self._bound: tuple[_Prepared, str | None] = (_Prepared(b""), None)
        self._transaction: Commit | None = None  # that was begun
        self._last: Commit | None = None
        self._told: list[Commit] = []  # commits that were answered within a request that is not
        self._awaited: deque[tuple[bytes, Commit | None, bool]] = deque()  # kind, whose it is, whether it is the commit

    def asks(self, data: bytes) -> Commit | None:
        """Take what the client says next; return the first commit that begins in it."""
        self._asked += data
        found = None
        while (message := self._next_asked()) is not None:
            commit = self._ask(*message)
            if commit is not None:
                commit.end = len(data) - len(self._asked)
                found = found or commit
        return found

    def answers(self, data: bytes) -> None:
        """Take what the server says next."""
        self._answered += data[self._single_bytes :]
        self._single_bytes = max(0, self._single_bytes - len(data))
        while len(self._answered) >= 5:
            (length,) = struct.unpack_from("!I", self._answered, 1)
            if len(self._answered) < 1 + length:
                return
            kind, body = self._answered[:1], self._answered[5 : 1 + length]
            self._answered = self._answered[1 + length :]
            self._answer(kind, body)

    def _next_asked(self) -> tuple[bytes, bytes] | None:
        start = 1 if self._has_begun else 0  # the first messages have no kind
        if len(self._asked) < start + 4:
            return None
        (length,) = struct.unpack_from("!I", self._asked, start)
        if len(self._asked) < start + length:
            return None
        kind, body = self._asked[:start], self._asked[start + 4 : start + length]
        self._asked = self._asked[start + length :]
        return kind, body

    def _ask(self, kind: bytes, body: bytes) -> Commit | None:
        match kind:
            case b"":
                (code,) = struct.unpack_from("!I", body)
                self._single_bytes += code in _ENCRYPTION
                self._has_begun = code >> 16 == 3
            case b"P":
                name, _, rest = body.partition(b"\0")
                self._statements[name] = _Prepared.of(rest.partition(b"\0")[0])
            case b"B":
                self._bound = self._bind(body)
            case b"E":
                return self._run(kind, *self._bound)
            case b"Q":
                commit = self._run(kind, _Prepared.of(body), None)
                self._end_request()
                return commit
            case b"S":
                self._awaited.append((kind, None, False))
                self._end_request()
        return None

    def _bind(self, body: bytes) -> tuple[_Prepared, str | None]:
        _portal, _, rest = body.partition(b"\0")
        name, _, rest = rest.partition(b"\0")
        statement = self._statements.get(name, _Prepared(b""))
        if statement.message_parameter is None:
            return statement, None
        (formats,) = struct.unpack_from("!H", rest)
        at = 2 + 2 * formats + 2
        for _ in range(statement.message_parameter):
            (length,) = struct.unpack_from("!i", rest, at)
            at += 4 + max(0, length)
        (length,) = struct.unpack_from("!i", rest, at)
        value = rest[at + 4 : at + 4 + length]
        return statement, value.hex() if length == 16 else value.decode().replace("-", "")

    def _run(self, kind: bytes, statement: _Prepared, message: str | None) -> Commit | None:
        """Take a statement that is to be run; return the commit that it is."""
        writes = statement.message_parameter is not None
        if statement.text.startswith((b"BEGIN", b"START")):
            self._transaction = Commit()
        commit = self._transaction
        if writes:
            commit = commit or Commit()
            commit.messages += [message] if message else []
        is_commit = statement.text.startswith((b"COMMIT", b"END")) or (writes and self._transaction is None)
        self._awaited.append((kind, commit, is_commit))
        # To a savepoint it would not end it; nobody here has any.
        if statement.text.startswith((b"COMMIT", b"END", b"ROLLBACK")):
            self._transaction = None
        if not is_commit:
            return None
        self._last = commit or Commit()
        return self._last

    def _end_request(self) -> None:
        if self._last is not None:
            self._last.is_whole, self._last = True, None

    def _answer(self, kind: bytes, body: bytes) -> None:
        if kind == b"C" and self._awaited:
            self._complete(body.rstrip(b"\0"))
        elif kind in (b"I", b"s") and self._awaited and self._awaited[0][0] == b"E":
            self._awaited.popleft()
        elif kind == b"Z":
            # What was to be run after an error was passed over, up to here.
            while self._awaited and self._awaited.popleft()[0] not in (b"S", b"Q"):
                pass
            for commit in self._told:
                commit.is_answered = True
            self._told.clear()
            if not self._awaited and body == b"I":
                self._transaction = None

    def _complete(self, tag: bytes) -> None:
        kind, commit, is_commit = self._awaited[0]
        if kind == b"E":
            self._awaited.popleft()
        if commit is None:
            return
        if tag.startswith(b"INSERT 0 "):
            commit.inserted += int(tag.split()[2])
        if is_commit:
            commit.tag = tag
            self._told.append(commit)


def _message_parameter(text: bytes) -> int | None:
    found = _INSERT.search(text)
    if found is None:
        return None
    values = dict(zip(found[1].split(b", "), found[2].split(b", "), strict=False))
    number = re.match(rb"\$(\d+)", values[b"message_id"])
    return None if number is None else int(number[1]) - 1
