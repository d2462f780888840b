"""Accounts: the tenants."""

from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import Connection, select, update

from ledger.engine import insert_new, upsert
from ledger.facts import enqueue_account_products, enqueue_accounts
from ledger.registry.common import ACCOUNT_NAME, PAGE, Invalid, Taken, check_currency, check_name, single, view, views
from ledger.scope import Scope
from ledger.tables import account, account_product
from models.facts import Mode

FACTS = {"mode", "paused", "service_level", "review_ms"}  # what step wants to know
CHANGEABLE = FACTS | {
    "currency",
    "window_ms",
    "hold_ms",
    "approve_within_ms",
    "limit_per_order",
    "monthly_budget",
    "surge_factor",
}


class Account(msgspec.Struct, frozen=True):
    id: int
    name: str
    mode: int
    paused: bool
    currency: str
    service_level: float
    review_ms: int
    window_ms: int | None
    hold_ms: int | None
    approve_within_ms: int | None
    limit_per_order: Decimal | None
    monthly_budget: Decimal | None
    surge_factor: float | None
    version: int
    created: int


def create(tx: Connection, name: str, currency: str, now: int, **settings: Any) -> Account:
    """A new account, in mode `observe` unless `settings` (CHANGEABLE) say otherwise. Raises Taken, Invalid."""
    check_name("account", name, ACCOUNT_NAME)
    _check({"currency": currency} | settings)
    if not insert_new(tx, account, {"name": name, "currency": currency, "created": now} | settings):
        raise Taken("account", name)
    account_id = tx.execute(select(account.c.id).where(account.c.name == name)).scalar_one()
    enqueue_accounts(tx, [account_id])
    return view(Account, tx.execute(select(account).where(account.c.id == account_id)).one())


def get(tx: Connection, scope: Scope, account_id: int) -> Account:
    mine = (account.c.id == account_id, scope.where(account.c.id))
    return single(tx, Account, account, *mine, called=("account", account_id))


def find(tx: Connection, scope: Scope, name: str) -> Account:
    return single(tx, Account, account, account.c.name == name, scope.where(account.c.id), called=("account", name))


def list_accounts(tx: Connection, scope: Scope, *, after: int = 0, limit: int = PAGE) -> list[Account]:
    query = select(account).where(scope.where(account.c.id), account.c.id > after).order_by(account.c.id).limit(limit)
    return views(Account, tx.execute(query))


def change(tx: Connection, scope: Scope, account_id: int, **settings: Any) -> Account:
    """Set some of CHANGEABLE; a change that step must know goes out as a fact. Raises NotFound, Invalid."""
    before = get(tx, scope, account_id)
    _check(settings)
    changed = {name: value for name, value in settings.items() if getattr(before, name) != value}
    if changed:
        tx.execute(update(account).where(account.c.id == account_id).values(changed))
    if FACTS & changed.keys():
        enqueue_accounts(tx, [account_id])
    return get(tx, scope, account_id)


def set_product_mode(
    tx: Connection, scope: Scope, account_id: int, product_id: int, mode: Mode, *, paused: bool = False
) -> None:
    """The ordering mode of one SKU; the least of account, site and SKU counts."""
    get(tx, scope, account_id)
    key = {"account_id": account_id, "product_id": product_id}
    upsert(tx, account_product, [key | {"mode": int(mode), "paused": paused}], on=list(key))
    enqueue_account_products(tx, account_id, [product_id])


def _check(settings: dict[str, Any]) -> None:
    if unknown := settings.keys() - CHANGEABLE:
        raise Invalid(f"account: no setting {', '.join(sorted(unknown))}: there are {', '.join(sorted(CHANGEABLE))}")
    if "currency" in settings:
        check_currency(settings["currency"])
    if "mode" in settings and settings["mode"] not in set(Mode):
        raise Invalid(f"account: mode {settings['mode']!r}: use one of {', '.join(mode.name.lower() for mode in Mode)}")
    if not 0 < settings.get("service_level", 0.5) < 1:
        raise Invalid(f"account: service level {settings['service_level']}: use more than 0 and less than 1")
    for name in ("limit_per_order", "monthly_budget"):
        value = settings.get(name)
        if value is not None and (not isinstance(value, Decimal) or value < 0):
            raise Invalid(f"account: {name} {value!r}: use a Decimal of 0 or more, or None for none")
    for name in ("review_ms", "window_ms", "hold_ms", "approve_within_ms", "surge_factor"):
        value = settings.get(name)
        if value is not None and value < 0:
            raise Invalid(f"account: {name} {value}: use 0 or more")
