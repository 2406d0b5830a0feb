"""The exit status of every error, in one table; scripts rely on it."""

from __future__ import annotations

from pachyderm_cli import errors

DONE = 0
UNEXPECTED = 1
USAGE = 2
INTERRUPTED = 130
BROKEN_PIPE = 141  # as the shell reports a process that SIGPIPE ended

EXIT_CODES: dict[type[errors.PachydermError], int] = {
    errors.PachydermError: UNEXPECTED,
    errors.EntityFailed: 1,
    errors.UsageError: USAGE,
    errors.InvalidReference: 2,
    errors.UnknownEntityType: 2,
    errors.UnknownMessage: 2,
    errors.InvalidMessage: 2,
    errors.NotFound: 3,
    errors.Erased: 3,
    errors.AmbiguousReference: 3,
    errors.VersionConflict: 4,
    errors.MessageIdConflict: 4,
    errors.CursorHeld: 4,
    errors.Collision: 4,
    errors.Rejected: 5,
    errors.ConfigError: 6,
    errors.EntityLoadError: 6,
    errors.StoreError: 7,
    errors.OutputError: 7,
    errors.EffectFailed: 8,
    errors.CheckFailed: 9,
    errors.Interrupted: INTERRUPTED,
}


def exit_code(error: errors.PachydermError) -> int:
    """Return the exit status for `error`: that of its class, or of the nearest one it derives from."""
    return next(EXIT_CODES[cls] for cls in type(error).__mro__ if cls in EXIT_CODES)
