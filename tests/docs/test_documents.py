"""What the documents name is there; what they link to is there; their code is code."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from tests.support import reference
from ullage.cli import main
from ullage.settings import SETTINGS, load

ROOT = reference.ROOT
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *reference.pages()]
INTERNAL = {"ULLAGE_CONFIG", "ULLAGE_TIMELINE", "ULLAGE_HEARTBEAT_FD"}
FOREIGN = {"--help", "--version", "--json"}  # of every command
ROLES = ("gateway", "worker", "api")
pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def anchors(page: Path) -> set[str]:
    return {re.sub(r"[^\w\- ]", "", line).strip().lower().replace(" ", "-")
            for line in re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)}  # fmt: skip


@pages
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if re.match(r"https?:", target):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), target
        assert not anchor or anchor in anchors(there), target


@pages
def test_settings_that_are_named_exist(page: Path) -> None:
    known = {s.variable for s in SETTINGS} | INTERNAL
    assert set(re.findall(r"ULLAGE_[A-Z_]*[A-Z]", page.read_text())) <= known


@pages
def test_metrics_that_are_named_exist(page: Path) -> None:
    known = set(re.findall(r"`(ullage_\w+)", "".join(map(reference.metrics, ROLES))))
    assert set(re.findall(r"\bullage_(?:gateway|worker|api)_\w+", page.read_text())) <= known


@pages
def test_routes_that_are_named_exist(page: Path) -> None:
    """Also with numbers in place of parameters."""
    routes = [*reference.routes(), *reference.page_routes()]
    forms = [re.compile(re.sub(r"\{\w+\}", r"(\\d+|\\{\\w+\\})", route.path)) for route in routes]
    for path in re.findall(r"(?<![\w.}])(/v1/[\w/{}.-]*[\w}])", page.read_text().replace("ullage/v1/", "")):
        assert path == "/v1/openapi.json" or any(form.fullmatch(path) for form in forms), path


def commands_in(page: Path) -> Iterator[list[str]]:
    for quoted in re.findall(r"`((?:ullage|/opt/ullage/bin/ullage) [^`]+)`", page.read_text()):
        yield quoted.split()[1:]
    for block in reference.code_of(page, ""):
        for line in block.splitlines():
            if found := re.match(r"(?:sudo -u ullage )?(?:/opt/ullage/bin/)?ullage ((?!.*: ).*)", line):
                yield found[1].partition("#")[0].split()


@pages
def test_commands_that_are_named_exist_with_their_options(page: Path) -> None:
    for words in commands_in(page):
        command: click.Command = main
        options = {"--data", "-h"} | FOREIGN
        for word in words:
            if word in (commands := reference.below(command)):
                command = commands[word]
                options |= {o for p in command.params if isinstance(p, click.Option) for o in p.opts}
            elif word.startswith("--"):
                assert word in options, words
            elif isinstance(command, click.Group) and command is not main:
                raise AssertionError(f"no such command: {' '.join(words)}")
        assert command is not main or not words[0].isalpha(), words


@pages
def test_python_is_python(page: Path) -> None:
    for block in reference.code_of(page, "python"):
        ast.parse(block)


def test_documents_that_the_code_names_exist() -> None:
    for package in (*reference.PACKAGES, "devices_sim"):
        for path in (ROOT / package).rglob("*.py"):
            for named in re.findall(r"\bdocs/[\w/-]+\.\w+", path.read_text()):
                assert (ROOT / named).exists(), f"{path.name}: {named}"


def test_no_file_names_a_path_of_somebodys_machine() -> None:
    private = re.compile("/" + r"(?:work|root|Users)/\w|/home/(?!ullage)\w|[A-Z]:\\\\Users")
    kinds = {".py", ".md", ".toml", ".yaml", ".yml", ".json", ".html", ".css", ".js", ".conf", ""}
    skipped = {".git", ".venv", "vendor", "node_modules", "ullage-data", "results"}
    for path in _files(ROOT, skipped):
        if path.suffix in kinds and (found := private.search(path.read_text(errors="replace"))):
            raise AssertionError(f"{path}: {found[0]}")


def _files(folder: Path, skipped: set[str]) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name in skipped:  # also a file: in a worktree `.git` is one
            continue
        if path.is_dir():
            if not path.name.startswith(".") and not path.name.endswith((".egg-info", "__")):
                yield from _files(path, skipped)
        elif path.stat().st_size < 1 << 20:
            yield path


def test_settings_of_the_documented_file_are_taken(tmp_path: Path) -> None:
    (block,) = reference.code_of(reference.DOCS / "reference" / "settings.md", "toml")
    file = tmp_path / "ullage.toml"
    file.write_text(block)
    assert load(environ={"ULLAGE_CONFIG": str(file)}).effective["draft_window"].source == "file"


def test_settings_of_the_tls_page_are_taken() -> None:
    block = reference.code_of(reference.DOCS / "how-to" / "use-tls.md", "")[0]
    settings = load(environ=dict(line.split("=", 1) for line in block.splitlines()))
    assert settings.mqtt_port == 8883
