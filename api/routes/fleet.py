"""`POST /v1/fleet`: the fleet document in one call (accounts, sites, devices, catalogue); an upsert by name."""

from typing import Annotated, Any

from fastapi import APIRouter, Body
from pydantic import BaseModel, Field

from api.auth import Operator
from api.services import Wired
from ledger.fleet import apply_fleet, parse_fleet

router = APIRouter(prefix="/v1", tags=["fleet"])
EXAMPLE = {
    "products": [{"sku": "TN-K", "name": "Black toner", "unit": "pages"}],
    "accounts": [{"name": "acme", "mode": "observe", "currency": "EUR", "sites": []}],
}


class Credential(BaseModel):
    account: str = Field(examples=["acme"])
    device: str = Field(examples=["copier-01"])
    device_id: int
    token: str = Field(description="Password of the device's MQTT connection. Shown this once.")


class FleetApplied(BaseModel):
    summary: dict[str, int] = Field(examples=[{"devices": 1}])
    credentials: list[Credential]
    released: int = Field(description="So many in quarantine can be used by now: POST /v1/quarantine/replay.")


@router.post("/fleet")
def apply(
    wired: Wired,
    caller: Operator,
    document: Annotated[dict[str, Any], Body(examples=[EXAMPLE])],
) -> FleetApplied:
    """Register everything that the document names; what is there already is brought up to it, nothing is removed.

    Credentials are those of new devices and are shown this once: an Idempotency-Key is not needed and not kept."""
    result = apply_fleet(wired.ledger, parse_fleet(document), wired.now(), by=caller.by)
    released = wired.quarantine.released(caller.scope)
    return FleetApplied(
        summary=result.summary,
        credentials=[Credential.model_validate(one, from_attributes=True) for one in result.credentials],
        released=released,
    )
