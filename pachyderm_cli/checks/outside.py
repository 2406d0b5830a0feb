"""What of the standard library, and of libraries that many use, does I/O when it is called."""

from __future__ import annotations

import builtins
import io
import random
import sys
from enum import Enum
from typing import Any

_HTTP = frozenset({"get", "post", "put", "patch", "delete", "head", "options", "request", "stream"})
_CALLS = {
    "aiohttp": frozenset({"ClientSession", "request"}),
    "asyncpg": frozenset({"connect", "create_pool"}),
    "boto3": frozenset({"client", "resource", "Session"}),
    "ftplib": frozenset({"FTP", "FTP_TLS"}),
    "glob": frozenset({"glob", "iglob"}),
    "http": frozenset({"HTTPConnection", "HTTPSConnection", "HTTPServer", "ThreadingHTTPServer"}),
    "httpx": _HTTP | {"Client", "AsyncClient"},
    "psycopg": frozenset({"connect"}),
    "psycopg2": frozenset({"connect"}),
    "redis": frozenset({"Redis", "from_url"}),
    "requests": _HTTP | {"Session", "session"},
    "shutil": frozenset({"copy", "copy2", "copyfile", "copyfileobj", "copymode", "copystat", "copytree", "move"})
    | {"rmtree", "disk_usage", "chown", "which", "make_archive", "unpack_archive", "get_terminal_size"},
    "smtplib": frozenset({"SMTP", "SMTP_SSL", "LMTP"}),
    "socket": frozenset({"socket", "socketpair", "create_connection", "create_server", "fromfd", "gethostname"})
    | {"gethostbyname", "gethostbyname_ex", "gethostbyaddr", "getaddrinfo", "getfqdn", "getnameinfo"},
    "sqlite3": frozenset({"connect"}),
    "subprocess": frozenset({"run", "call", "check_call", "check_output", "Popen", "getoutput", "getstatusoutput"}),
    "tempfile": frozenset({"mkdtemp", "mkstemp", "mktemp", "TemporaryFile", "NamedTemporaryFile", "gettempdir"})
    | {"TemporaryDirectory", "SpooledTemporaryFile"},
    "urllib": frozenset({"urlopen", "urlretrieve"}),
    "urllib3": frozenset({"PoolManager", "HTTPConnectionPool", "HTTPSConnectionPool", "request"}),
}
"""By package (a private one, as of `_socket`, counts as its public one): what of it does I/O."""

_BUILTINS = (builtins.open, builtins.input, builtins.print)
_PURE_OF_OS = frozenset({"fspath", "sep", "linesep", "path"})
_PURE_OF_PATH = frozenset({"join", "basename", "dirname", "split", "splitext", "normpath", "commonpath", "isabs"})
FILE_METHODS = frozenset(
    {"read_text", "read_bytes", "write_text", "write_bytes", "unlink", "mkdir", "iterdir", "touch"}
)
"""Methods of paths that hardly anything else has."""
_OF_PATH = FILE_METHODS | {"exists", "is_file", "is_dir", "stat", "lstat", "glob", "rglob", "open", "rename", "resolve"}
_CHANCE = {"uuid": ("uuid1", "uuid4", "uuid6", "uuid7", "uuid8"), "os": ("urandom",), "posix": ("urandom",)}
_STREAMS = frozenset({"stdin", "stdout", "stderr", "__stdin__", "__stdout__", "__stderr__"})


def does_io(called: Any, name: str, module: str) -> bool:
    """Tell whether calling something, which has that name in that module, does I/O."""
    if isinstance(called, type) and issubclass(called, Enum | BaseException):
        return False
    if any(called is each for each in _BUILTINS):
        return True
    package = module.partition(".")[0]
    if package in ("os", "posix", "nt") and module != "os.path":
        return name not in _PURE_OF_OS and name != "urandom"
    if module in ("os.path", "posixpath", "ntpath", "genericpath"):
        return name not in _PURE_OF_PATH
    if package == "pathlib":
        return name in _OF_PATH
    return name in _CALLS.get(package.removeprefix("_"), ())


def is_stream(value: Any, owner: Any, name: str) -> bool:
    """Tell whether something is a file: one of `sys`, which may be another at every call, or an open one."""
    if owner is sys and name in _STREAMS:
        return True
    return isinstance(value, io.IOBase) and not isinstance(value, io.StringIO | io.BytesIO)


def draws(owner: Any, called: Any, name: str, module: str) -> bool:
    """Tell whether calling something draws by chance, if it is given no seed."""
    if module in ("random", "_random", "secrets"):
        return True
    if isinstance(owner, random.Random) or isinstance(getattr(called, "__self__", None), random.Random):
        return True
    return name in _CHANCE.get(module, ())
