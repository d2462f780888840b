"""What is in a ledger of the version before is still there, and means the same, after the upgrade."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from ledger import migrate, secret, tokens
from ledger.engine import Ledger, open_ledger
from ledger.roles import Permission, Role
from ledger.scope import Scope
from tests.support.revisions import upgrade_to

from .world import NOW


@pytest.fixture
def older(tmp_path: Path) -> Iterator[Ledger]:
    """Two accounts, and four tokens of the time when they had no people."""
    with closing(open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")) as ledger:
        upgrade_to(ledger, "0005")
        with ledger.write() as tx:
            for number, name in ((1, "acme"), (2, "umbra")):
                tx.execute(
                    text("INSERT INTO account (id, name, currency, created) VALUES (:id, :name, 'EUR', 1)"),
                    {"id": number, "name": name},
                )
            for number, role, accounts in ((1, "approver", [1]), (2, "approver", [1]), (3, "approver", [1, 2])):
                _token(ledger, tx, number, role, "Ann", accounts)
            _token(ledger, tx, 4, "operator", "robot", None)
        yield ledger


def _token(ledger: Ledger, tx: object, number: int, role: str, who: str, accounts: list[int] | None) -> None:
    values = {"id": number, "hash": secret.digest(f"secret {number}"), "role": role, "who": who, "now": NOW}
    tx.execute(  # type: ignore[attr-defined]
        text(
            "INSERT INTO token (id, name, prefix, hash, role, person, all_accounts, created)"
            " VALUES (:id, 'x', 'ullage_', :hash, :role, :who, :every, :now)"
        ),
        values | {"every": accounts is None},
    )
    for account in accounts or ():
        tx.execute(text("INSERT INTO token_account VALUES (:token, :account)"), {"token": number, "account": account})  # type: ignore[attr-defined]


def test_who_could_approve_by_a_token_still_can_as_a_person(older: Ledger) -> None:
    assert migrate.upgrade(older)
    with older.read() as tx:
        first, same, wider, robot = (tokens.verify(tx, f"secret {n}", NOW) for n in (1, 2, 3, 4))
    assert first is not None
    assert same is not None
    assert wider is not None
    assert robot is not None
    assert (first.person, first.role, first.scope) == ("Ann", Role.APPROVER, Scope.of(1))
    assert first.may(Permission.APPROVE)
    assert first.person_id == same.person_id
    assert (wider.person_id != first.person_id, wider.scope) == (True, Scope.of(1, 2))
    assert (robot.person_id, robot.person, robot.scope) == (None, "robot", Scope.all())
