"""People and tokens by commands; whatever a command changes is in the audit."""

import inspect
import json
import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from ledger import tables as t
from ledger import tokens
from ledger.clock import real_ms
from tests.support.reference import leaves
from ullage import compose
from ullage.cli import main
from ullage.settings import load

Ullage = Callable[..., Any]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    compose.initialise(load({"data": str(tmp_path)}, environ={}), line=None)
    return tmp_path


@pytest.fixture
def ullage(data: Path, monkeypatch: pytest.MonkeyPatch) -> Ullage:
    for variable in [v for v in os.environ if v.startswith("ULLAGE_")]:
        monkeypatch.delenv(variable)

    def run(*arguments: str, code: int = 0) -> Any:
        result = CliRunner().invoke(main, ["--data", str(data), *arguments, "--json"])
        assert result.exit_code == code, result.output
        return json.loads(result.stdout) if code == 0 else result.output

    run("account", "add", "acme")
    return run


def test_a_person_by_commands(ullage: Ullage, data: Path) -> None:
    made = ullage("person", "add", "Ann", "--email", "Ann@Example.com", "--role", "approver", "--account", "acme")
    assert (made["email"], made["role"]) == ("ann@example.com", "approver")
    assert "/sign-in?code=" in ullage("person", "link", "ann@example.com")["link"]
    secret = ullage("token", "create", "--name", "hers", "--person", "ann@example.com", "--scope", "read")["secret"]
    rotated = ullage("token", "rotate", "1", "--overlap-hours", "0")
    listed = {one["id"]: one for one in ullage("token", "list")}
    assert (listed[rotated["id"]]["person"], listed[rotated["id"]]["scopes"]) == ("Ann", ["read"])
    with closing(compose.ledger_of(load({"data": str(data)}, environ={}))) as ledger, ledger.read() as tx:
        assert tokens.verify(tx, secret, real_ms() + 1) is None
        assert tokens.verify(tx, rotated["secret"], real_ms()) is not None
        actions = list(tx.scalars(t.audit.select().with_only_columns(t.audit.c.action)))
    assert actions[1:] == ["person.created", "link.made", "token.created", "token.rotated", "token.created"]
    assert ullage("person", "change", "1", "--role", "viewer", "--name", "Anna")["role"] == "viewer"
    assert ullage("person", "end", "1")["ended"]
    assert [one["name"] for one in ullage("person", "list")] == ["Anna"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("person", "end", "4711"), "there is no person 4711"),
        (("person", "link", "nobody@example.com"), "there is no person nobody@example.com"),
        (("person", "add", "Bea", "--role", "supplier"), "bound to a supplier"),
        (("person", "add", "Bea", "--role", "buyer", "--account", "x"), "there is no account x"),
        (("token", "create", "--name", "x", "--person", "4711"), "there is no person 4711"),
        (("token", "create", "--name", "x", "--role", "viewer", "--scope", "order"), "role viewer has no scope order"),
        (("token", "rotate", "4711"), "there is no token 4711"),
    ],
)
def test_what_cannot_be_done_is_said(ullage: Ullage, arguments: tuple[str, ...], said: str) -> None:
    assert said in ullage(*arguments, code=1)


WRITING = [(name, command) for name, command in leaves() if "writing(" in inspect.getsource(command.callback)]  # type: ignore[arg-type]


@pytest.mark.parametrize(("name", "command"), WRITING, ids=[name for name, _ in WRITING])
def test_every_command_that_writes_notes_it_in_the_audit(name: str, command: click.Command) -> None:
    """Those that change orders, requests and quarantine are noted by the ledger itself."""
    source = inspect.getsource(command.callback)  # type: ignore[arg-type]
    assert "note(" in source or "submit(" in source or "_pause(" in source, name
