"""Lanes: how long goods take from one supplier to one site."""

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection, select

from ledger.facts import enqueue_lanes
from ledger.tables import lane, offer, supplier


class Source(NamedTuple):
    """From whom a product is expected, for planning; the order itself chooses again, by price."""

    supplier_id: int
    profile: str
    grid_ms: list[int]
    cutoff_ms: int


def sources(tx: Connection, product_ids: Iterable[int]) -> dict[int, Source]:
    """For each product that somebody offers: the cheapest offer per unit, the older of equal ones."""
    wanted = sorted(set(product_ids))
    query = (
        select(offer, supplier.c.cutoff_ms)
        .join(supplier, supplier.c.id == offer.c.supplier_id)
        .where(offer.c.product_id.in_(wanted), ~offer.c.retired, ~supplier.c.retired)
    )
    best: dict[int, Source] = {}
    for row in sorted(tx.execute(query), key=lambda row: (row.price / row.pack, row.id)):
        profile = hashlib.sha256(repr(row.grid_ms).encode()).hexdigest()[:12]
        best.setdefault(row.product_id, Source(row.supplier_id, profile, row.grid_ms, row.cutoff_ms))
    return best


class Lanes:
    """The lanes of one transaction, made as they are needed; `send` enqueues the facts of the new ones."""

    def __init__(self, tx: Connection, site_ids: Iterable[int]) -> None:
        self._tx = tx
        self._new: list[int] = []
        query = select(lane.c.id, lane.c.site_id, lane.c.supplier_id, lane.c.profile)
        rows = tx.execute(query.where(lane.c.site_id.in_(sorted(set(site_ids)))))
        self._known: dict[tuple[int, int, str], int] = {
            (row.site_id, row.supplier_id, row.profile): row.id for row in rows
        }

    def ensure(self, site_id: int, source: Source) -> int:
        key = (site_id, source.supplier_id, source.profile)
        if key not in self._known:
            values = {
                "site_id": site_id,
                "supplier_id": source.supplier_id,
                "profile": source.profile,
                "grid_ms": source.grid_ms,
                "cutoff_ms": source.cutoff_ms,
            }
            self._known[key] = int(self._tx.execute(lane.insert().values(values).returning(lane.c.id)).scalar_one())
            self._new.append(self._known[key])
        return self._known[key]

    def send(self) -> None:
        enqueue_lanes(self._tx, self._new)
        self._new = []
