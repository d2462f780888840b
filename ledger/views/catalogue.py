"""Products and device models: the catalogue, which belongs to no account."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, bindparam, select

from ledger import tables as t
from ledger.scope import Scope
from ledger.views.query import Query
from ledger.views.rows import Dict, columns, many, shown
from ledger.views.slots import METERS, REFILLS

_PRODUCTS: Final = Query(
    lambda: select(*columns(t.product, "id sku name unit created=created_at")), owner=None, keys=[t.product.c.id]
)
_MODELS: Final = Query(
    lambda: select(t.device_model.c.id, t.device_model.c.name), owner=None, keys=[t.device_model.c.id]
)
_SLOTS: Final = (
    select(*columns(t.model_slot, "id model_id name meter refill capacity unit"))
    .where(t.model_slot.c.model_id.in_(bindparam("models", expanding=True)))
    .order_by(t.model_slot.c.id)
)
_FITTING: Final = (
    select(
        t.model_slot_product.c.model_slot_id,
        t.model_slot_product.c.product_id,
        t.product.c.sku,
        t.model_slot_product.c.units,
    )
    .join(t.product, t.product.c.id == t.model_slot_product.c.product_id)
    .where(t.model_slot_product.c.model_slot_id.in_(bindparam("slots", expanding=True)))
    .order_by(*columns(t.model_slot_product, "model_slot_id preference product_id"))
)


def products(tx: Connection, *, position: Sequence[Any] | None = None, limit: int = 100) -> list[Dict]:
    return shown(_PRODUCTS.run(tx, Scope.all(), position=position, limit=limit))


def device_models(tx: Connection, *, position: Sequence[Any] | None = None, limit: int = 100) -> list[Dict]:
    """With the slots that a device of each has, and the products that fit."""
    rows = shown(_MODELS.run(tx, Scope.all(), position=position, limit=limit))
    slots = many(tx, _SLOTS, {"models": [row["id"] for row in rows]})
    fits: dict[int, list[Dict]] = defaultdict(list)
    for fit in many(tx, _FITTING, {"slots": [slot["id"] for slot in slots]}):
        fits[fit.pop("model_slot_id")].append(fit)
    of_model: dict[int, list[Dict]] = defaultdict(list)
    for slot in slots:
        words = {"meter": METERS[slot["meter"]], "refill": REFILLS[slot["refill"]], "products": fits[slot.pop("id")]}
        of_model[slot.pop("model_id")].append(slot | words)
    return [row | {"slots": of_model[row["id"]]} for row in rows]
