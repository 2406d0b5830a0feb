"""SQLite's own files watched from inside: every write, truncation, sync and deletion, in order; and made to fail.

SQLite reaches files through a table of functions, its VFS (https://www.sqlite.org/vfs.html). The one that it uses is
copied, a few of the copy's functions are replaced by ones that note what they are asked for and then do it, and the
copy becomes the default. So the engine runs as it always does, in WAL mode, with its shared memory. It takes a Python
whose SQLite is a library of its own, as those of most distributions have.
"""

import ctypes
import sqlite3
from collections.abc import Callable
from ctypes import CFUNCTYPE, POINTER, Structure, c_char_p, c_int, c_int64, c_void_p
from pathlib import Path
from typing import Any, NamedTuple

_OK = 0
_READ_WRITE = 0x00000002


class Operation(NamedTuple):
    """What was asked of a file: `kind` is write, truncate, sync or delete; or ack, which is the client's own.

    `offset` is where it was written, to how many bytes it was cut, or whether its folder was synced once it was gone.
    """

    kind: str
    file: str
    offset: int = 0
    data: bytes = b""


class _Vfs(Structure):
    _fields_ = [
        ("version", c_int),
        ("file_size", c_int),
        ("longest_path", c_int),
        ("next", c_void_p),
        ("name", c_char_p),
        ("app_data", c_void_p),
        ("open", c_void_p),
        ("delete", c_void_p),
        ("others", c_void_p * 14),
    ]


class _Methods(Structure):
    _fields_ = [
        ("version", c_int),
        ("close", c_void_p),
        ("read", c_void_p),
        ("write", c_void_p),
        ("truncate", c_void_p),
        ("sync", c_void_p),
        ("others", c_void_p * 13),
    ]


class _File(Structure):
    _fields_ = [("methods", POINTER(_Methods))]


# The name is SQLite's own, which the file goes on using: it is handed on as the pointer that it is.
_OPEN = CFUNCTYPE(c_int, c_void_p, c_void_p, POINTER(_File), c_int, POINTER(c_int))
_DELETE = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int)
_CLOSE = CFUNCTYPE(c_int, POINTER(_File))
_READ = CFUNCTYPE(c_int, POINTER(_File), c_void_p, c_int, c_int64)
_WRITE = CFUNCTYPE(c_int, POINTER(_File), c_void_p, c_int, c_int64)
_TRUNCATE = CFUNCTYPE(c_int, POINTER(_File), c_int64)
_SYNC = CFUNCTYPE(c_int, POINTER(_File), c_int)


class Recorder:
    """Notes what SQLite asks of files, from when it is made; once in a process, which it stays for."""

    def __init__(self, fails: Callable[[str, str], int] | None = None) -> None:
        """Take the default VFS's place. Raises OSError where Python's SQLite cannot be reached.

        `fails` is asked before each operation, by its kind (read is one then) and its file: SQLite is told what it
        returns, unless that is 0, in place of what the file would say. A write that fails so has written a half.
        """
        self.operations: list[Operation] = []
        self._fails = fails
        library = _library()
        library.sqlite3_vfs_find.restype = c_void_p
        library.sqlite3_vfs_find.argtypes = [c_char_p]
        library.sqlite3_vfs_register.argtypes = [c_void_p, c_int]
        original = _Vfs.from_address(library.sqlite3_vfs_find(None))
        self._vfs = _Vfs()
        ctypes.pointer(self._vfs)[0] = original
        self._vfs.name = b"recording"
        self._open_file, self._delete_file = _OPEN(original.open), _DELETE(original.delete)
        self._callbacks: list[Any] = [_OPEN(self._open), _DELETE(self._delete)]  # to live as long as SQLite uses them
        self._vfs.open, self._vfs.delete = (ctypes.cast(each, c_void_p) for each in self._callbacks)
        self._methods: dict[int, _Methods] = {}  # by the address of the originals
        self._files: dict[int, str] = {}  # by the address of SQLite's file
        if library.sqlite3_vfs_register(ctypes.addressof(self._vfs), 1) != _OK:
            raise OSError("SQLite takes no other VFS")

    def acknowledge(self, what: str) -> None:
        """Note that somebody was told something just now."""
        self.operations.append(Operation("ack", what))

    def _open(self, vfs: int, name: int | None, file: Any, flags: int, out_flags: Any) -> int:
        status: int = self._open_file(vfs, name, file, flags, out_flags)
        if status == _OK and name is not None and flags & _READ_WRITE and file[0].methods:
            self._files[ctypes.addressof(file[0])] = ctypes.string_at(name).decode()
            file[0].methods = ctypes.pointer(self._watched(file[0].methods))
        return status

    def _delete(self, vfs: int, name: int, sync_folder: int) -> int:
        status: int = self._delete_file(vfs, name, sync_folder)
        if status == _OK:
            self.operations.append(Operation("delete", ctypes.string_at(name).decode(), sync_folder))
        return status

    def _write(self, write: Any, file: Any, data: int, size: int, offset: int) -> int:
        if failure := self._failure("write", file):
            write(file, data, size // 2, offset)
            return failure
        name = self._files[ctypes.addressof(file[0])]
        self.operations.append(Operation("write", name, offset, ctypes.string_at(data, size)))
        return int(write(file, data, size, offset))

    def _failure(self, kind: str, file: Any) -> int:
        return 0 if self._fails is None else self._fails(kind, self._files[ctypes.addressof(file[0])])

    def _watched(self, methods: Any) -> _Methods:
        """Return the functions of an open file, some of them replaced."""
        address = ctypes.addressof(methods[0])
        if address in self._methods:
            return self._methods[address]
        original, watched = methods[0], _Methods()
        ctypes.pointer(watched)[0] = original
        close, read, write = _CLOSE(original.close), _READ(original.read), _WRITE(original.write)
        truncate, sync = _TRUNCATE(original.truncate), _SYNC(original.sync)

        def on_close(file: Any) -> int:
            self._files.pop(ctypes.addressof(file[0]), None)
            return int(close(file))

        def on_read(file: Any, data: int, size: int, offset: int) -> int:
            return self._failure("read", file) or int(read(file, data, size, offset))

        def on_write(file: Any, data: int, size: int, offset: int) -> int:
            return self._write(write, file, data, size, offset)

        def on_truncate(file: Any, size: int) -> int:
            if failure := self._failure("truncate", file):
                return failure
            self.operations.append(Operation("truncate", self._files[ctypes.addressof(file[0])], size))
            return int(truncate(file, size))

        def on_sync(file: Any, flags: int) -> int:
            status = self._failure("sync", file) or int(sync(file, flags))
            if status == _OK:  # only now it is on the disk
                self.operations.append(Operation("sync", self._files[ctypes.addressof(file[0])]))
            return status

        callbacks = [_CLOSE(on_close), _WRITE(on_write), _TRUNCATE(on_truncate), _SYNC(on_sync)]
        if self._fails is not None:
            callbacks.append(_READ(on_read))
            watched.read = ctypes.cast(callbacks[-1], c_void_p)
        self._callbacks += callbacks
        watched.close, watched.write, watched.truncate, watched.sync = (
            ctypes.cast(each, c_void_p) for each in callbacks[:4]
        )
        self._methods[address] = self._methods[ctypes.addressof(watched)] = watched
        return watched


def _library() -> Any:
    """Return the SQLite that Python's sqlite3 uses, which is loaded already."""
    maps = Path("/proc/self/maps")
    lines = maps.read_text().splitlines() if maps.exists() else []
    for file in {line.split()[-1] for line in lines if "libsqlite3" in line}:
        library = ctypes.CDLL(file)
        library.sqlite3_libversion.restype = c_char_p
        if library.sqlite3_libversion().decode() == sqlite3.sqlite_version:
            return library
    raise OSError("Python's SQLite is no library of its own")
