"""`ullage account mode`, `pause` and `resume`: of an account, one site, one SKU."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ullage import compose
from ullage.cli import main
from ullage.settings import load

FLEET = Path(__file__).parents[3] / "docs" / "examples" / "fleet.yaml"


class Commands:
    def __init__(self, data: Path) -> None:
        self.data = data
        compose.initialise(load({"data": str(data)}, environ={}), line=None)
        self.run("fleet", "apply", str(FLEET))

    def run(self, *words: str, code: int = 0) -> str:
        result = CliRunner().invoke(main, ["--data", str(self.data), *words])
        assert result.exit_code == code, result.output
        return result.output

    def told(self, *words: str) -> Any:
        return json.loads(self.run(*words, "--json"))


@pytest.fixture
def ullage(tmp_path: Path) -> Commands:
    return Commands(tmp_path / "data")


ONE_SITE = ("--site", "hq")
ONE_SKU = ("--sku", "TN-K")


def test_a_sites_mode_and_pause(ullage: Commands) -> None:
    assert ullage.told("account", "mode", "acme", "ask", *ONE_SITE)["was"] == "auto"
    assert ullage.run("account", "pause", "acme", *ONE_SITE) == "acme/hq: ordering is paused\n"
    (site,) = ullage.told("site", "list")
    assert (site["mode"], site["paused"]) == ("ask", True)
    assert ullage.run("account", "resume", "acme", *ONE_SITE) == "acme/hq: ordering goes on, mode ask\n"
    assert ullage.told("account", "list")[0]["mode"] == "observe"


def test_a_skus_mode_and_pause(ullage: Commands) -> None:
    assert ullage.told("account", "mode", "acme", "off", *ONE_SKU)["was"] == "auto"
    assert ullage.told("account", "mode", "acme", "ask", *ONE_SKU)["was"] == "off"
    assert ullage.run("account", "pause", "acme", *ONE_SKU) == "acme/TN-K: ordering is paused\n"
    assert ullage.run("account", "resume", "acme", *ONE_SKU) == "acme/TN-K: ordering goes on, mode ask\n"


def test_one_of_them_only(ullage: Commands) -> None:
    assert "not both" in ullage.run("account", "pause", "acme", *ONE_SITE, *ONE_SKU, code=2)
    assert "no site nowhere" in ullage.run("account", "pause", "acme", "--site", "nowhere", code=1)
