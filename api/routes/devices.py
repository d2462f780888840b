"""Devices and the models that they are of."""

from typing import Annotated

from fastapi import APIRouter, Query

from api import shapes
from api.answer import Answer
from api.auth import Reader
from api.paging import Cursor, Id, Limit, decode, page
from api.services import Wired
from api.tables import TableRoute
from api.threads import quick
from ledger.views import catalogue, places
from ledger.views import slots as slot_view

router = APIRouter(prefix="/v1", tags=["devices"], route_class=TableRoute)


@router.get("/devices", response_model=shapes.Page[shapes.Device])
def list_devices(
    wired: Wired,
    caller: Reader,
    account: int | None = None,
    site: int | None = None,
    name: Annotated[str | None, Query(max_length=64)] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Answer:
    """Machines; `name` finds one by its name."""
    with wired.ledger.read() as tx:
        rows = places.devices(
            tx,
            caller.scope,
            account=account,
            site=site,
            name=name,
            position=decode(cursor, int),
            limit=limit + 1,
        )
    return Answer(page(rows, limit, lambda row: [row["id"]]))


@router.get("/devices/{device_id}", response_model=shapes.DeviceWithSlots)
@quick
def show_device(wired: Wired, caller: Reader, device_id: Id) -> Answer:
    """One device with all of its slots."""
    with wired.ledger.read() as tx:
        found = places.device(tx, caller.scope, device_id)
        slots = slot_view.slots(tx, caller.scope, wired.now(), device=device_id, limit=500)
    return Answer(found | {"slots": slots})


@router.get("/device-models", response_model=shapes.Page[shapes.DeviceModel])
def list_models(wired: Wired, caller: Reader, limit: Limit = 100, cursor: Cursor = None) -> Answer:  # noqa: ARG001 - the catalogue is everybody's
    """What devices there are, with the slots that each has and the products that fit."""
    with wired.ledger.read() as tx:
        rows = catalogue.device_models(tx, position=decode(cursor, int), limit=limit + 1)
    return Answer(page(rows, limit, lambda row: [row["id"]]))


@router.get("/products", response_model=shapes.Page[shapes.Product])
def list_products(wired: Wired, caller: Reader, limit: Limit = 100, cursor: Cursor = None) -> Answer:  # noqa: ARG001 - the catalogue is everybody's
    """What is sold to fill slots."""
    with wired.ledger.read() as tx:
        rows = catalogue.products(tx, position=decode(cursor, int), limit=limit + 1)
    return Answer(page(rows, limit, lambda row: [row["id"]]))
