"""What is built and installed: the pins, the lower bounds, the files in the distribution."""

import compileall
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import pachyderm_cli

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTRAS = PROJECT["project"]["optional-dependencies"]


def _pins(file_name: str) -> dict[str, str]:
    """Return the versions in a constraints file by name; a line of any other form is an error."""
    pins = {}
    for line in (ROOT / file_name).read_text().splitlines():
        if line and not line.startswith("#"):
            match = re.fullmatch(r"([a-z0-9][a-z0-9-]*)==([0-9][0-9a-z.]*)", line)
            assert match, f"{file_name}: {line!r} is not name==version"
            assert match[1] not in pins, f"{file_name}: {match[1]} is there twice"
            pins[match[1]] = match[2]
    return pins


def _lower_bounds(requirements: list[str]) -> dict[str, Version]:
    """Return the lower bound of each requirement by name; one with other bounds is an error."""
    bounds: dict[str, Version] = {}
    for requirement in map(Requirement, requirements):
        [specifier] = requirement.specifier
        assert specifier.operator == ">=", f"{requirement} is not a lower bound"
        bounds[canonicalize_name(requirement.name)] = Version(specifier.version)
    return bounds


RUNTIME = _lower_bounds([*PROJECT["project"]["dependencies"], *EXTRAS["postgres"], *EXTRAS["check"]])
_FOR_TOOLS = ("test", "lint", "audit", "advisories", "bench", "torture")
_OF_TOOLS = [each for extra in _FOR_TOOLS for each in EXTRAS[extra]]
TOOLS = _lower_bounds([each for each in _OF_TOOLS if not each.startswith("pachyderm-cli")])


@pytest.mark.parametrize("name", sorted(RUNTIME | TOOLS))
def test_every_direct_dependency_is_pinned_within_its_bound(name: str) -> None:
    """What development installs of a direct dependency is one version that pyproject.toml admits."""
    assert Version(_pins("constraints.txt")[name]) >= (RUNTIME | TOOLS)[name]


@pytest.mark.parametrize("name", sorted(RUNTIME))
def test_the_lowest_versions_are_the_lower_bounds(name: str) -> None:
    """`make test-lowest` runs with the very bounds of pyproject.toml, so that they are honest."""
    assert Version(_pins("constraints-lowest.txt")[name]) == RUNTIME[name]


@pytest.mark.parametrize("file_name", ["constraints.txt", "constraints-lowest.txt"])
def test_constraints_name_versions_and_nothing_else(file_name: str) -> None:
    """A constraints file holds sorted names and versions: no address, no path, no hash."""
    text = (ROOT / file_name).read_text()
    for block in text.split("\n\n"):
        names = [line.partition("==")[0] for line in block.splitlines() if "==" in line]
        assert names == sorted(names)
    assert _pins(file_name)


def test_every_dependency_says_why_it_is_there() -> None:
    """Beside each dependency in pyproject.toml a comment gives its reason."""
    lines = (ROOT / "pyproject.toml").read_text().splitlines()
    dependencies = [line for line in lines if re.match(r'\s+"[\w\[\]-]+>=', line)]
    assert len(dependencies) == len(RUNTIME | TOOLS)
    assert [line for line in dependencies if "  # " not in line] == []


def test_the_wheel_holds_the_package_and_nothing_else(tmp_path: Path) -> None:
    """A built wheel has every file of the package, data and all, under the version that the package tells."""
    for name in ("pyproject.toml", "LICENSE", "README.md"):
        shutil.copy(ROOT / name, tmp_path)
    package = tmp_path / "pachyderm_cli"
    shutil.copytree(ROOT / "pachyderm_cli", package, ignore=shutil.ignore_patterns("__pycache__"))
    expected = {str(path.relative_to(tmp_path)) for path in package.rglob("*") if path.is_file()}
    compileall.compile_dir(package, quiet=1)  # as in a checkout that was used
    wheel = _build_wheel(tmp_path)
    files = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert files == expected
    assert wheel.name == f"pachyderm_cli-{pachyderm_cli.__version__}-py3-none-any.whl"


def _build_wheel(source: Path) -> Path:
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check"]
    command = [*pip, "--no-deps", "--no-build-isolation", "--wheel-dir", "dist", "."]
    subprocess.run(command, cwd=source, check=True, capture_output=True, text=True)
    [wheel] = (source / "dist").iterdir()
    return wheel
