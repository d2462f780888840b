"""What a demand forecast is made of: the units of a product that were used, and the slots that will use more."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, Select, bindparam, select

from ledger import tables as t
from ledger.scope import NotFound, Scope
from ledger.views.query import Query


def _used() -> Select[Any]:
    r, s = t.refill.c, t.slot.c
    chosen = select(s.site_id, s.id.label("slot_id"), r.ts, r.units).join(t.slot, s.id == r.slot_id)
    return chosen.where(r.ts >= bindparam("since"), r.reversed_at.is_(None), r.units > 0)


def _slots() -> Select[Any]:
    s, v = t.slot.c, t.slot_view.c
    chosen = select(s.id, s.site_id, s.refill, s.capacity, s.pack_units, v.rate, v.quantiles)
    return chosen.outerjoin(t.slot_view, v.slot_id == s.id).where(~s.retired)


def _here(chosen: Callable[[], Select[Any]], key: ColumnElement[int]) -> Query:
    s = t.slot.c
    return Query(chosen, owner=s.account_id, keys=[key], product=s.product_id, site=s.site_id, account=s.account_id)


_USED: Final = _here(_used, t.refill.c.id)
_SLOTS: Final = _here(_slots, t.slot.c.id)


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
    found = _USED.run(tx, scope, own={"since": since}, product=product_id, site=place.site, account=place.account)
    return list(found)


def slots(tx: Connection, scope: Scope, product_id: int, place: Place) -> list[Row[Any]]:
    """The slots that take the product, with their forecasts (None without one); retired ones are not among them."""
    return list(_SLOTS.run(tx, scope, product=product_id, site=place.site, account=place.account))
