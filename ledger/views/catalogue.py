"""Products and device models: the catalogue, which belongs to no account."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, select

from ledger import tables as t
from ledger.views.rows import Dict, columns, many
from ledger.views.slots import METERS, REFILLS


def products(tx: Connection, *, position: Sequence[Any] | None = None, limit: int = 100) -> list[Dict]:
    p = t.product.c
    statement = select(*columns(t.product, "id sku name unit created=created_at"))
    if position is not None:
        statement = statement.where(p.id > position[0])
    return many(tx, statement.order_by(p.id).limit(limit))


def device_models(tx: Connection, *, position: Sequence[Any] | None = None, limit: int = 100) -> list[Dict]:
    m, s, f = t.device_model.c, t.model_slot.c, t.model_slot_product.c
    statement = select(m.id, m.name)
    if position is not None:
        statement = statement.where(m.id > position[0])
    rows = many(tx, statement.order_by(m.id).limit(limit))
    numbers = [row["id"] for row in rows]
    slots = many(
        tx,
        select(*columns(t.model_slot, "id model_id name meter refill capacity unit"))
        .where(s.model_id.in_(numbers))
        .order_by(s.id),
    )
    fits: dict[int, list[Dict]] = defaultdict(list)
    fitting = (
        select(f.model_slot_id, f.product_id, t.product.c.sku, f.units)
        .join(t.product, t.product.c.id == f.product_id)
        .where(f.model_slot_id.in_([slot["id"] for slot in slots]))
        .order_by(f.model_slot_id, f.preference, f.product_id)
    )
    for fit in many(tx, fitting):
        fits[fit.pop("model_slot_id")].append(fit)
    of_model: dict[int, list[Dict]] = defaultdict(list)
    for slot in slots:
        words = {"meter": METERS[slot["meter"]], "refill": REFILLS[slot["refill"]], "products": fits[slot.pop("id")]}
        of_model[slot.pop("model_id")].append(slot | words)
    return [row | {"slots": of_model[row["id"]]} for row in rows]
