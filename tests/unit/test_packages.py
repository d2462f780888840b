"""A package of ours is installed, typed and layered: whoever adds one adds it to every list."""

import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
TOOLS = PROJECT["tool"]
PACKAGES = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "bench"}
LAYERS = TOOLS["importlinter"]["contracts"][0]["layers"]


@pytest.mark.parametrize(
    "listed",
    [
        {pattern.rstrip("*") for pattern in TOOLS["setuptools"]["packages"]["find"]["include"]},
        set(TOOLS["mypy"]["packages"]),
        set(TOOLS["importlinter"]["root_packages"]),
        set(TOOLS["ruff"]["lint"]["isort"]["known-first-party"]) - {"bench"},
        {name.strip() for layer in LAYERS for name in layer.split("|")} | {"devices_sim"},
    ],
    ids=["setuptools", "mypy", "import-linter", "isort", "layers"],
)
def test_every_package_is_listed(listed: set[str]) -> None:
    assert listed == PACKAGES


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_every_package_says_that_it_is_typed(package: str) -> None:
    assert (ROOT / package / "py.typed").exists()
