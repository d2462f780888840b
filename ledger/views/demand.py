"""What a demand forecast is made of: the units of a product that were used, and the slots that will use more."""

from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, select

from ledger import tables as t
from ledger.scope import NotFound, Scope
from ledger.views.rows import equal


class Place(NamedTuple):
    """Where: a site, an account, or everything that the scope allows."""

    site: int | None = None
    account: int | None = None

    def __str__(self) -> str:
        if self.site is not None:
            return f"site/{self.site}"
        return "all" if self.account is None else f"account/{self.account}"


def check(tx: Connection, scope: Scope, place: Place) -> None:
    """Raises NotFound for what the scope may not see."""
    if place.account is not None and not scope.allows(place.account):
        raise NotFound(f"there is no account {place.account}")
    if place.account is not None and tx.scalar(select(t.account.c.id).where(t.account.c.id == place.account)) is None:
        raise NotFound(f"there is no account {place.account}")
    mine = (t.site.c.id == place.site, scope.where(t.site.c.account_id))
    if place.site is not None and tx.scalar(select(t.site.c.id).where(*mine)) is None:
        raise NotFound(f"there is no site {place.site}")


def used(tx: Connection, scope: Scope, product_id: int, place: Place, since: int) -> list[Row[Any]]:
    """(site_id, slot_id, ts, units) of refills that were not reversed."""
    r, s = t.refill.c, t.slot.c
    statement = select(s.site_id, s.id.label("slot_id"), r.ts, r.units).join(t.slot, s.id == r.slot_id)
    mine = statement.where(r.ts >= since, r.reversed_at.is_(None), r.units > 0)
    return list(tx.execute(_at(mine, scope, product_id, place)).all())


def slots(tx: Connection, scope: Scope, product_id: int, place: Place) -> list[Row[Any]]:
    """The slots that take the product, with their forecasts (None without one); retired ones are not among them."""
    s, v = t.slot.c, t.slot_view.c
    statement = select(s.id, s.site_id, s.refill, s.capacity, s.pack_units, v.rate, v.quantiles).outerjoin(
        t.slot_view, v.slot_id == s.id
    )
    return list(tx.execute(_at(statement.where(~s.retired), scope, product_id, place).order_by(s.id)).all())


def _at(statement: Select[Any], scope: Scope, product_id: int, place: Place) -> Select[Any]:
    s = t.slot.c
    mine = statement.where(s.product_id == product_id, scope.where(s.account_id))
    return equal(mine, (s.site_id, place.site), (s.account_id, place.account))
