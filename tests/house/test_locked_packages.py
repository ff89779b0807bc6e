"""requirements.lock, which pip reads, and uv.lock, which uv reads, install the same; both follow pyproject.toml."""

import re
import tomllib
from pathlib import Path
from typing import Any

HOUSE = Path(__file__).parents[2]
HINT = "run: make lock"


def _uv_lock() -> list[dict[str, Any]]:
    packages: list[dict[str, Any]] = tomllib.loads((HOUSE / "uv.lock").read_text(encoding="utf-8"))["package"]
    return packages


def _handraise() -> dict[str, Any]:
    return next(package for package in _uv_lock() if package["name"] == "handraise")


def _installed_by_setup() -> set[str]:
    """Names of everything that handraise needs, itself or through others; the group bench is not installed by setup."""
    needs = {package["name"]: [item["name"] for item in package.get("dependencies", [])] for package in _uv_lock()}
    for package in _uv_lock():
        for extra in package.get("optional-dependencies", {}).values():
            needs[package["name"]] += [item["name"] for item in extra]
    groups = _handraise()["dev-dependencies"]
    waiting = [*needs["handraise"], *(item["name"] for name in groups if name != "bench" for item in groups[name])]
    found: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += needs[name]
    return found


def _pip_lock() -> dict[str, str]:
    lines = (HOUSE / "requirements.lock").read_text(encoding="utf-8").splitlines()
    return dict(line.partition(";")[0].strip().split("==") for line in lines if line and not line.startswith("#"))


def _wanted(requirements: list[str]) -> dict[str, str]:
    """Name → version range, as pyproject.toml writes them; extras left out."""
    found = [re.fullmatch(r"([a-z0-9-]+)(?:\[[a-z,]+\])?(.*)", text) for text in requirements]
    return {match[1]: match[2] for match in found if match}


def _locked(requirements: list[dict[str, Any]]) -> dict[str, str]:
    return {item["name"]: item.get("specifier", "") for item in requirements}


def test_pip_and_uv_install_the_same_versions() -> None:
    wanted = _installed_by_setup()
    locked = {package["name"]: package["version"] for package in _uv_lock() if package["name"] in wanted}
    assert _pip_lock() == locked, HINT


def test_the_lock_follows_the_dependencies_of_the_project() -> None:
    project = tomllib.loads((HOUSE / "pyproject.toml").read_text(encoding="utf-8"))
    metadata = _handraise()["metadata"]
    always = [item for item in metadata["requires-dist"] if "extra ==" not in item.get("marker", "")]
    assert _locked(always) == _wanted(project["project"]["dependencies"]), HINT
    for extra, wanted in project["project"]["optional-dependencies"].items():
        asked = [item for item in metadata["requires-dist"] if f"extra == '{extra}'" in item.get("marker", "")]
        assert _locked(asked) == _wanted(wanted), HINT
    groups = {name: _locked(group) for name, group in metadata["requires-dev"].items()}
    assert groups == {name: _wanted(group) for name, group in project["dependency-groups"].items()}, HINT
