"""`GET /v1/time`: domain time, which in a simulated world runs faster than the wall clock."""

from fastapi import APIRouter

from api import shapes
from api.answer import Answer
from api.services import Wired
from ledger.views.rows import iso

router = APIRouter(prefix="/v1", tags=["time"])


@router.get("/time", response_model=shapes.Time)
async def time(wired: Wired) -> Answer:
    """Needs no token: devices and simulators set their clocks by it."""
    now = wired.now()
    return Answer({"now": iso(now), "now_ms": now, "speed": wired.speed})
