"""README and docs are run: every `console` block's commands print what the block says, in order, in one place.

A `python` block that begins with the path of a file, as in `# entities/wallet.py`, is written there first.
"""

import difflib
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

README = PAGES[0].read_text(encoding="utf-8")

_PYTHON = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
_RUN = re.compile(r"^```(console\n|python\n# \S+\.py\n)(.*?)^```", re.MULTILINE | re.DOTALL)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
_TIME_ORDERED_ID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\b")
_RANDOM_ID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\b")
_EXAMPLES = re.compile(r"(?<=  )[1-9]\d* examples?$", re.MULTILINE)  # each version of Hypothesis takes another way
_FINGERPRINT = re.compile(r"\b[0-9a-f]{32}\b")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_the_pages_show_is_what_the_commands_print(page: Path, tmp_path: Path) -> None:
    """Every command in a page's console blocks prints what the page says it does."""
    terminal = _Terminal(tmp_path)
    for kind, block in _RUN.findall(page.read_text(encoding="utf-8")):
        if kind != "console\n":
            terminal.write(kind.split()[2], block)
            continue
        shown = block.strip().splitlines()
        printed = []
        for line in shown:
            if line.startswith("$ "):
                printed += [line, *terminal.run(line[2:])]
        expected, got = _comparable(shown, tmp_path), _comparable(printed, tmp_path)
        assert got == expected, "\n".join(difflib.unified_diff(expected, got, page.name, "printed", lineterm=""))


def test_the_python_of_the_readme_runs(tmp_path: Path) -> None:
    """The README's program prints what is said of it when it is run beside the project that `init` made."""
    terminal = _Terminal(tmp_path)
    terminal.run("pachyderm init demo && cd demo && pachyderm send counter:@visits increment")
    program = next(block for block in _PYTHON.findall(README) if "Pachyderm.open" in block)
    (tmp_path / "program.py").write_text(program, encoding="utf-8")
    printed = terminal.run(f"{shlex.quote(sys.executable)} program.py")
    assert printed == ["2 3", '1 Increased {"amount":1}', '2 Increased {"amount":2}']


def test_the_counter_of_the_readme_is_the_one_that_init_writes() -> None:
    """The entity that the README shows stands in the project template, word for word, and in the examples."""
    shown = next(block for block in _PYTHON.findall(README) if "def handle" in block)
    template = (ROOT / "pachyderm_cli/cli/template/entities/counter.py").read_text(encoding="utf-8")
    assert shown.strip() in template
    assert template == (ROOT / "entities/counter.py").read_text(encoding="utf-8")


class _Terminal:
    """Runs commands one after the other, as someone who follows the page would."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        command = folder / "bin" / "pachyderm"
        command.parent.mkdir()
        command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m pachyderm_cli "$@"\n')
        command.chmod(0o755)
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PACHYDERM_")}
        self.environment = {
            **inherited,
            "PATH": f"{command.parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
        }

    def write(self, file: str, text: str) -> None:
        (self.folder / file).write_text(text, encoding="utf-8")

    def run(self, command: str) -> list[str]:
        if command.startswith("cd "):
            self.folder = self.folder / command[3:]
            return []
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )
        return done.stdout.splitlines()


def _comparable(lines: list[str], folder: Path) -> list[str]:
    """Return `lines` without what differs from run to run: times, random ids, fingerprints, the folder."""
    text = "\n".join(lines).replace(str(folder), "").replace("…", "")
    for pattern, name in (
        (_TIME, "TIME"),
        (_TIME_ORDERED_ID, "ID"),
        (_RANDOM_ID, "ID"),
        (_FINGERPRINT, "FINGERPRINT"),
        (_EXAMPLES, "N examples"),
    ):
        text = pattern.sub(name, text)
    return text.splitlines()
