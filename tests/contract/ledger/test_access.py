"""Tokens, one-time links, audit: secrets are shown once and end when they should."""

import pytest
from sqlalchemy import select

from ledger import audit, tokens
from ledger.engine import Ledger
from ledger.registry import accounts, suppliers
from ledger.registry.common import Invalid
from ledger.roles import PERMISSIONS, Permission, Role
from ledger.scope import NotFound, Scope
from ledger.tables import token
from models.units import DAY, MINUTE

from .world import NOW


def test_a_token_is_verified_by_its_secret_only(ledger: Ledger) -> None:
    with ledger.write() as tx:
        acme = accounts.create(tx, "acme", "EUR", NOW)
        made = tokens.create(tx, "ci", Role.BUYER, NOW, by="Ann", accounts=[acme.id])
    assert made.secret.startswith(made.token.prefix)
    with ledger.read() as tx:
        found = tokens.verify(tx, made.secret, NOW)
        assert found == made.token
        assert found.scope == Scope.of(acme.id)
        assert found.may(Permission.ORDER)
        assert not found.may(Permission.APPROVE)
        for wrong in ("", made.secret[:-1], made.secret + "A", made.token.prefix, "\udcff"):
            assert tokens.verify(tx, wrong, NOW) is None
        stored = tx.execute(select(token)).one()
        assert made.secret not in str(stored)


def test_a_token_ends(ledger: Ledger) -> None:
    with ledger.write() as tx:
        short = tokens.create(tx, "short", Role.OPERATOR, NOW, accounts=None, expires=NOW + DAY)
        revoked = tokens.create(tx, "revoked", Role.OPERATOR, NOW, accounts=None)
        tokens.revoke(tx, revoked.token.id, NOW)
        assert tokens.verify(tx, short.secret, NOW + DAY - 1) is not None
        assert tokens.verify(tx, short.secret, NOW + DAY) is None
        assert tokens.verify(tx, revoked.secret, NOW) is None


def test_the_last_use_is_kept_by_the_minute(ledger: Ledger) -> None:
    with ledger.write() as tx:
        made = tokens.create(tx, "t", Role.OPERATOR, NOW, accounts=None)
        assert tokens.needs_use(made.token, NOW)
        tokens.used(tx, made.token.id, NOW)
        found = tokens.get(tx, made.token.id)
        assert found.last_used == NOW
        assert not tokens.needs_use(found, NOW + MINUTE - 1)
        assert tokens.needs_use(found, NOW + MINUTE)


def test_roles_have_the_scope_that_fits(ledger: Ledger) -> None:
    with ledger.write() as tx:
        seller = suppliers.ensure(tx, "papierwerk", NOW)
        with pytest.raises(Invalid, match="list of accounts"):
            tokens.create(tx, "x", Role.BUYER, NOW, accounts=None)
        with pytest.raises(Invalid, match="bound to a supplier"):
            tokens.create(tx, "x", Role.SUPPLIER, NOW)
        with pytest.raises(Invalid, match="bound to a supplier"):
            tokens.create(tx, "x", Role.VIEWER, NOW, supplier_id=seller.id)
        with pytest.raises(Invalid, match="expired"):
            tokens.create(tx, "x", Role.VIEWER, NOW, expires=NOW)
        made = tokens.create(tx, "x", Role.SUPPLIER, NOW, supplier_id=seller.id)
        assert made.token.scope == Scope.of()
    assert set(PERMISSIONS) == set(Role)


def test_a_link_signs_in_once(ledger: Ledger) -> None:
    with ledger.write() as tx:
        made = tokens.create(tx, "t", Role.OPERATOR, NOW, accounts=None)
        first, second = (tokens.make_link(tx, made.token.id, NOW) for _ in range(2))
        assert tokens.use_link(tx, first, NOW + 1) == made.token
        assert tokens.use_link(tx, first, NOW + 2) is None
        assert tokens.use_link(tx, second, NOW + tokens.LINK_LIFE) is None
        third = tokens.make_link(tx, made.token.id, NOW)
        tokens.revoke(tx, made.token.id, NOW)
        assert tokens.use_link(tx, third, NOW + 1) is None
        with pytest.raises(NotFound):
            tokens.make_link(tx, 99, NOW)


def test_the_audit_tells_who_but_no_secrets(ledger: Ledger) -> None:
    with ledger.write() as tx:
        acme = accounts.create(tx, "acme", "EUR", NOW)
        before, after = {"url": "a", "secret": "old"}, {"url": "b", "secret": "new"}
        audit.record(tx, "Ann", "supplier.changed", "supplier/1", NOW, before=before, after=after)
        audit.record(tx, "Bob", "account.changed", f"account/{acme.id}", NOW, account_id=acme.id, after=acme)
        newest, oldest = audit.list_entries(tx, Scope.all())
        assert (oldest.by, oldest.before) == ("Ann", {"url": "a", "secret": "(secret)"})
        assert newest.before is None
        assert newest.after["name"] == "acme"
        assert audit.list_entries(tx, Scope.of(acme.id)) == [newest]
        assert audit.list_entries(tx, Scope.all(), before=newest.id) == [oldest]
