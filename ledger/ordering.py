"""Ordering modes and pauses at every level: an account's, a site's, a SKU's. The least of the three counts."""

from typing import Any, Final

import msgspec
from sqlalchemy import Connection, select

from ledger import audit
from ledger.registry import accounts, sites
from ledger.scope import Scope
from ledger.tables import account_product
from ledger.uncounted import uncounted
from models.facts import Mode
from models.stores import StoreError

TOLD: Final = 100


class Level(msgspec.Struct, frozen=True):
    """Of an account; with a site, of this site; with a product, of this SKU in the account."""

    account_id: int
    site_id: int | None = None
    product_id: int | None = None

    @property
    def subject(self) -> str:
        if self.site_id is not None:
            return f"site/{self.site_id}"
        product = f"/product/{self.product_id}" if self.product_id is not None else ""
        return f"account/{self.account_id}{product}"


class Ordering(msgspec.Struct, frozen=True):
    mode: Mode
    paused: bool

    def worded(self) -> dict[str, Any]:
        return {"mode": self.mode.name.lower(), "paused": self.paused}


class Uncounted(StoreError):
    """Going to `auto` with shelves that nobody ever counted: they would be taken for empty, and ordered for."""

    def __init__(self, subject: str, shelves: list[tuple[str, str]]) -> None:
        named = ", ".join(f"{place}/{sku}" for place, sku in shelves[:5])
        more = f" and {len(shelves) - 5} more" if len(shelves) > 5 else ""
        super().__init__(
            f"{subject}: nobody has counted the spares of {named}{more}; they would be taken for none, and ordered "
            "for; count them first, or say that they are counted"
        )
        self.shelves = shelves


def get(tx: Connection, scope: Scope, level: Level) -> Ordering:
    """Raises NotFound."""
    if level.site_id is not None:
        place = sites.get(tx, scope, level.site_id)
        return Ordering(Mode(place.mode), place.paused)
    owner = accounts.get(tx, scope, level.account_id)
    if level.product_id is None:
        return Ordering(Mode(owner.mode), owner.paused)
    mine = account_product.c.account_id == level.account_id, account_product.c.product_id == level.product_id
    row = tx.execute(select(account_product.c.mode, account_product.c.paused).where(*mine)).one_or_none()
    return Ordering(Mode.AUTO, False) if row is None else Ordering(Mode(row.mode), row.paused)


def change(
    tx: Connection,
    scope: Scope,
    level: Level,
    *,
    mode: Mode | None,
    paused: bool | None,
    counted: bool,
    by: str,
    now: int,
    real_now: int,
) -> Ordering:
    """None: as it is. `counted`: a person says that the shelves are, although the books do not know it.

    Raises NotFound, Uncounted."""
    before = get(tx, scope, level)
    after = Ordering(before.mode if mode is None else mode, before.paused if paused is None else paused)
    if after.mode is Mode.AUTO and before.mode is not Mode.AUTO and not counted:
        shelves = uncounted(tx, level.account_id, site_id=level.site_id, product_id=level.product_id)
        if shelves:
            raise Uncounted(level.subject, shelves)
    if after != before:
        _set(tx, scope, level, after, now)
        told = {"before": before.worded(), "after": after.worded()}
        audit.record(tx, by, "ordering.changed", level.subject, real_now, account_id=level.account_id, **told)
    return after


def _set(tx: Connection, scope: Scope, level: Level, to: Ordering, now: int) -> None:
    """What step must know goes out as a fact."""
    if level.site_id is not None:
        sites.change(tx, scope, level.site_id, now, mode=int(to.mode), paused=to.paused)
    elif level.product_id is not None:
        accounts.set_product_mode(tx, scope, level.account_id, level.product_id, to.mode, paused=to.paused)
    else:
        accounts.change(tx, scope, level.account_id, mode=int(to.mode), paused=to.paused)
