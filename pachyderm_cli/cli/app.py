"""The `pachyderm` command: its options, its commands, and the one place where errors become exit statuses."""

from __future__ import annotations

import errno
import os
import sys
from functools import cache
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from pachyderm_cli import __version__
from pachyderm_cli.cli import exit_codes
from pachyderm_cli.cli.catalogue import SUMMARIES, Catalogue
from pachyderm_cli.cli.output import abandon, finish, tell_error, tell_traceback, unwritable
from pachyderm_cli.cli.parameters import lighten
from pachyderm_cli.cli.session import Session
from pachyderm_cli.errors import Interrupted, PachydermError, UsageError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


class _OutputClosed(Exception):
    """Who read standard output has gone."""


class _Commands(TyperGroup):
    """The commands; lets `run` see what Typer would turn into exit statuses of its own."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        lighten(self)
        self.commands: Any = Catalogue()

    def list_commands(self, _: Any) -> list[str]:
        return list(self.commands)

    def format_commands(self, _: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(SUMMARIES.items()))

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise Interrupted("interrupted; what was committed is kept, and pachyderm history shows it") from None
        except BrokenPipeError as error:
            raise _OutputClosed from error


app = typer.Typer(
    cls=_Commands,
    help="Durable, globally unique entities: send them messages, and look at everything they ever did.",
    epilog="Start with: pachyderm init demo && cd demo && pachyderm send counter:new increment",
    rich_markup_mode=None,  # plain help loads no rich, and reads the same piped
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - an option's callback
    if wanted:
        typer.echo(f"pachyderm {__version__}")
        raise typer.Exit


@app.callback()
def options(
    ctx: typer.Context,
    project: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="The project's folder [env: PACHYDERM_PROJECT; default: the nearest upwards]"),
    ] = None,
    store: Annotated[
        str | None,
        typer.Option(metavar="URL", help="The store [env: PACHYDERM_STORE; default: pachyderm.toml's]"),
    ] = None,
    network: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The network [env: PACHYDERM_NETWORK; default: pachyderm.toml's]"),
    ] = None,
    version: Annotated[  # noqa: ARG001 - its callback does the work
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Take the options before the command."""
    ctx.obj = Session(project, store, network)


def main() -> NoReturn:
    """Run the command that the process's arguments name, and exit with its status."""
    _open_standard_streams()
    sys.exit(run(sys.argv[1:] or ["--help"]))


def run(arguments: list[str]) -> int:
    """Run a command and return its exit status; whatever goes wrong is told on standard error, once."""
    end = arguments.index("--") if "--" in arguments else len(arguments)  # after it nothing is an option
    as_json = "--json" in arguments[:end]
    try:
        answer = _command()(arguments, prog_name="pachyderm", standalone_mode=False)
        finish()
    except (_OutputClosed, BrokenPipeError):
        abandon()
        return exit_codes.BROKEN_PIPE
    except TyperException as error:
        return _fail(UsageError(_usage(error)), as_json=as_json)
    except PachydermError as error:
        return _fail(error, as_json=as_json)
    except SystemExit:  # Typer's own way out, after completion
        raise
    except BaseException as error:  # noqa: BLE001 - the last boundary
        return _fail(_unexpected(error), as_json=as_json)
    return answer if isinstance(answer, int) else exit_codes.DONE


def _unexpected(error: BaseException) -> PachydermError:
    if isinstance(error, OSError) and error.errno in _FULL:  # Typer writes help, the version and completion itself
        return unwritable(error)
    text = f"an unexpected failure in pachyderm: {type(error).__name__}: {error}; PACHYDERM_DEBUG=1 shows where"
    return PachydermError(text)


@cache
def _command() -> Any:
    """Return the parser, which takes as long to make as a short command takes to run: once in a process."""
    return typer.main.get_command(app)


def _open_standard_streams() -> None:
    """Put the null device where a standard stream was closed, before a database's file takes its number."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - to the end
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # as standard error does already


def _fail(error: PachydermError, *, as_json: bool) -> int:
    if os.environ.get("PACHYDERM_DEBUG") == "1":
        tell_traceback()
    tell_error(error, as_json=as_json)
    return exit_codes.exit_code(error)


def _usage(error: TyperException) -> str:
    context = getattr(error, "ctx", None)
    where = context.command_path if context is not None else "pachyderm"
    return f"{error.format_message().rstrip('.')}; see: {where} --help"
