"""What a command tells on standard error: errors, and such notes as are known; and whether JSON is JSON."""

import json
import re
from collections.abc import Iterator
from typing import Any

ERROR, ERROR_JSON = "error: ", '{"error": '

_NOTES = (
    r"ending what is under way; once more ends at once",
    r"(1 delivery was|\d+ deliveries were) left, since there were too many; pachyderm worker makes them",
    r"the command .+ for .+ at position \d+; attempt \d+ in \S+ s",
    r"the entity written to last: \S+",
    r"there are no entity modules in .+",
    r"\d+ entit(y|ies) replayed, and none comes out otherwise than before",
    r"no entities( of the type '.*')?( that fit)? in the network '.*'",
    r"there are no entity modules here, so everything waits",
    r"what .+ is to carry out waits, since it cannot be loaded: .+",
    r"working on the network '.*', and waiting for more; Ctrl-C ends it",
    r"no effects (wait|are .+) in the network '.*'",
    r"pachyderm worker tries again",
    r"nothing is parked in the network '.*'",
    r"the network '.*' has no cursors; pachyderm follow --cursor NAME makes one",
    r"the network '.*' has no entities",
    r"a line of it is longer than import reads; pachyderm copy takes it from store to store",
    r"ids are as they were in the network '.*'; names such as @visits mean others in '.*'",
    r"(1 entity|\d+ entities) of the type '.*' left out, because what is kept of the state is stale; .+",
    r"not folded, since they cannot be loaded here: .+",
    r"this project has no entity modules",
    r"another follower has the cursor .+; waiting until it ends, or its lease has run out",
    r"following the network '.*'; Ctrl-C ends it",
    r"no timers (in the network '.*'|of .+)",
    # What the engine warns of.
    r"leases were not renewed: .+",
    r"effects are marked done late: .+",
    r"the log cannot be read, and is tried again: .+",
)
_NOTE = re.compile("|".join(f"(?:{each})" for each in _NOTES))


def lines_of(text: str) -> list[str]:
    """Return the lines, empty ones too: only a newline ends one."""
    return text.removesuffix("\n").split("\n") if text else []


def is_error(line: str) -> bool:
    """Tell whether a line says what went wrong."""
    return line.startswith((ERROR, ERROR_JSON))


def unknown_lines(err: str) -> list[str]:
    """Return what standard error has that is neither an error line nor a note that a command is known to write."""
    return [line for line in lines_of(err) if not is_error(line) and not _NOTE.fullmatch(line)]


def errors_of(err: str) -> Iterator[dict[str, Any]]:
    """Yield the errors that are told: as JSON has them, or with the message alone."""
    for line in lines_of(err):
        if line.startswith(ERROR):
            yield {"message": line.removeprefix(ERROR)}
        elif line.startswith(ERROR_JSON) and parses(line):
            yield json.loads(line)["error"]


def parses(line: str) -> bool:
    """Tell whether a line is a JSON document, however deep, and of however many digits."""
    try:
        json.JSONDecoder(parse_int=str, parse_constant=_no_constant).decode(line)
    except ValueError:
        return False
    except RecursionError:
        return True  # too deep for Python's, as data may be
    return True


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is no JSON")
