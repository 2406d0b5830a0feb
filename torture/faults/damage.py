"""What may happen to the files of a SQLite store: cut off, bits turned, pages lost, something else in their place."""

import shutil
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from random import Random

_PAGE = 4096

Damage = Callable[[Path, Random], str]
"""Damages the store whose database is that file, and says how."""


def truncated(database: Path, random: Random) -> str:
    """Cut the database off anywhere."""
    return _cut(database, random)


def bit_flipped(database: Path, random: Random) -> str:
    """Turn one bit."""
    return _flip(database, random)


def bits_flipped(database: Path, random: Random) -> str:
    """Turn a few bits near one another, as a bad sector has."""
    content = bytearray(database.read_bytes())
    at, count = random.randrange(len(content)), random.randrange(2, 200)
    for _ in range(count):
        content[(at + random.randrange(512)) % len(content)] ^= 1 << random.randrange(8)
    database.write_bytes(content)
    return f"{count} bits flipped from byte {at} of the database"


def header_flipped(database: Path, random: Random) -> str:
    """Turn a bit of the first hundred bytes, on which everything depends."""
    content = bytearray(database.read_bytes())
    at, bit = random.randrange(100), random.randrange(8)
    content[at] ^= 1 << bit
    database.write_bytes(content)
    return f"bit {bit} flipped in byte {at} of the header"


def zeroed(database: Path, random: Random) -> str:
    """Fill a page with zeros."""
    return _fill(database, random, bytes(_PAGE), "zeroed")


def scribbled(database: Path, random: Random) -> str:
    """Fill a page with anything."""
    return _fill(database, random, random.randbytes(_PAGE), "scribbled over")


def misplaced(database: Path, random: Random) -> str:
    """Write one page in the place of another, as a disk that misdirects a write does."""
    pages = database.stat().st_size // _PAGE
    one, other = random.sample(range(pages), 2)
    content = database.read_bytes()
    _replace(database, other, content[one * _PAGE : (one + 1) * _PAGE])
    return f"page {one + 1} in place of page {other + 1}"


def letter_changed(database: Path, random: Random) -> str:
    """Put another letter in the place of one of an event's data, so that it is no JSON any more, or other JSON."""
    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute("SELECT position, data FROM pachyderm_events ORDER BY position").fetchall()
        position, data = random.choice(rows)
        at = random.choice([number for number, letter in enumerate(data) if letter in '{}[]:,"'])
        changed = data[:at] + random.choice("x0:,") + data[at + 1 :]
        connection.execute("UPDATE pachyderm_events SET data = ? WHERE position = ?", (changed, position))
        connection.commit()
    return f"letter {at} of the data at position {position} changed"


def log_truncated(database: Path, random: Random) -> str:
    """Cut the write-ahead log off anywhere."""
    return _cut(_beside(database, "-wal"), random)


def log_flipped(database: Path, random: Random) -> str:
    """Turn a bit of the write-ahead log."""
    return _flip(_beside(database, "-wal"), random)


def log_removed(database: Path, _: Random) -> str:
    """Remove the write-ahead log."""
    _beside(database, "-wal").unlink()
    return "no write-ahead log"


def log_scribbled(database: Path, random: Random) -> str:
    """Put anything in the place of the write-ahead log."""
    _beside(database, "-wal").write_bytes(random.randbytes(random.randrange(1, 20000)))
    return "anything for a write-ahead log"


def index_scribbled(database: Path, random: Random) -> str:
    """Put anything in the place of the shared memory's file."""
    _beside(database, "-shm").write_bytes(random.randbytes(32768))
    return "anything for the shared memory"


def text(database: Path, _: Random) -> str:
    """Put a letter there."""
    return _instead(database, b"Dear Sir or Madam, " * 1000)


def dump(database: Path, _: Random) -> str:
    """Put a dump of a Postgres database there."""
    return _instead(database, b"PGDMP\x01\x0f\x00\x04\x08\x01\x01" + bytes(range(256)) * 40)


def folder(database: Path, _: Random) -> str:
    """Put a folder there."""
    _nothing(database)
    database.mkdir()
    return "a folder for a database"


def another_database(database: Path, _: Random) -> str:
    """Put the database of another program there."""
    _nothing(database)
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TABLE moz_places (id INTEGER PRIMARY KEY, url TEXT)")
        connection.execute("INSERT INTO moz_places VALUES (1, 'https://example.org')")
        connection.commit()
    return "another program's database"


DAMAGES: Mapping[Damage, int] = {
    truncated: 3,
    bit_flipped: 8,
    bits_flipped: 4,
    header_flipped: 2,
    zeroed: 3,
    scribbled: 2,
    misplaced: 2,
    letter_changed: 2,
}
"""What happens to a database, and how often in proportion."""

DAMAGES_OF_THE_LOG: Mapping[Damage, int] = {
    log_truncated: 4,
    log_flipped: 4,
    log_removed: 1,
    log_scribbled: 1,
    index_scribbled: 2,
}
"""What happens to what is beside a database that was not closed."""

FOREIGN: tuple[Damage, ...] = (text, dump, folder, another_database)
"""What is there instead of a database."""


def _beside(database: Path, suffix: str) -> Path:
    return database.with_name(database.name + suffix)


def _cut(file: Path, random: Random) -> str:
    size = file.stat().st_size
    left = random.randrange(1, size)
    if random.random() < 0.3:  # on a page
        left = max(left // _PAGE, 1) * _PAGE
    with file.open("r+b") as opened:
        opened.truncate(left)
    return f"{left} of the {size} bytes of {file.name}"


def _flip(file: Path, random: Random) -> str:
    content = bytearray(file.read_bytes())
    at, bit = random.randrange(len(content)), random.randrange(8)
    content[at] ^= 1 << bit
    file.write_bytes(content)
    return f"bit {bit} flipped in byte {at} of {file.name}"


def _fill(database: Path, random: Random, content: bytes, how: str) -> str:
    page = random.randrange(database.stat().st_size // _PAGE)
    _replace(database, page, content)
    return f"page {page + 1} {how}"


def _replace(database: Path, page: int, content: bytes) -> None:
    with database.open("r+b") as opened:
        opened.seek(page * _PAGE)
        opened.write(content)


def _instead(database: Path, content: bytes) -> str:
    _nothing(database)
    database.write_bytes(content)
    return f"{content[:5].decode()}... for a database"


def _nothing(database: Path) -> None:
    for each in (database, _beside(database, "-wal"), _beside(database, "-shm")):
        if each.is_dir():
            shutil.rmtree(each)
        else:
            each.unlink(missing_ok=True)
