"""File systems of a process's own: a small one in memory, which can be full, and one that can only be read.

They are seen by the process and its children alone, and are gone with them.
"""

import ctypes
import os
from contextlib import suppress
from pathlib import Path

_NEW_MOUNTS, _NEW_USER = 0x00020000, 0x10000000  # CLONE_NEWNS, CLONE_NEWUSER
_READ_ONLY, _REMOUNT, _BIND, _RECURSIVE, _PRIVATE = 1, 32, 4096, 16384, 1 << 18  # MS_*
_CHUNK = 4096


def enter_own_mounts() -> None:
    """Give this process mounts of its own; without root's rights, as the root of a user namespace of its own.

    Raises OSError where the system does not allow it.
    """
    user, group = os.geteuid(), os.getegid()
    _call("unshare", ctypes.c_int(_NEW_MOUNTS if user == 0 else _NEW_MOUNTS | _NEW_USER))
    if user:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {user} 1")
        Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    _mount("none", Path("/"), None, _RECURSIVE | _PRIVATE)


def mount_memory(folder: Path, size: int) -> None:
    """Mount an empty file system of so many bytes there. Raises OSError."""
    folder.mkdir(exist_ok=True)
    _mount("tmpfs", folder, "tmpfs", 0, f"size={size},mode=755")


def resize(folder: Path, size: int) -> None:
    """Let it have so many bytes."""
    _mount("tmpfs", folder, "tmpfs", _REMOUNT, f"size={size}")


def mount_read_only(folder: Path, target: Path) -> None:
    """Let what is in a folder be read, and only read, in another one as well."""
    target.mkdir(exist_ok=True)
    _mount(str(folder), target, None, _BIND)
    _mount("none", target, None, _BIND | _REMOUNT | _READ_ONLY)


def fill(file: Path, leave: int = 0) -> None:
    """Write into a file until there is no room any more, then give so many bytes of it back."""
    size = 0
    with file.open("wb", buffering=0) as filler, suppress(OSError):
        while True:
            size += filler.write(bytes(_CHUNK * 16))
    with file.open("ab", buffering=0) as filler, suppress(OSError):
        while True:
            size += filler.write(bytes(_CHUNK))
    os.truncate(file, max(size - leave, 0))


def _mount(source: str, target: Path, kind: str | None, flags: int, data: str | None = None) -> None:
    texts = [source, str(target), kind]
    encoded = [None if text is None else text.encode() for text in texts]
    _call("mount", *encoded, ctypes.c_ulong(flags), None if data is None else data.encode())


def _call(name: str, *arguments: object) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    if getattr(library, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
