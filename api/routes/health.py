"""Is the process alive (`/healthz`), can it serve (`/readyz`), what does it measure (`/metrics`)?"""

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from api.problems import Problem
from api.services import Wired

router = APIRouter(tags=["health"])


@router.get("/healthz")
def healthz() -> dict[str, str]:
    return {"status": "alive"}


@router.get("/readyz")
def readyz(wired: Wired) -> dict[str, str]:
    if reasons := wired.not_ready():
        raise Problem(503, "not_ready", "; ".join(reasons), {"Retry-After": "1"})
    return {"status": "ready"}


@router.get("/metrics")
def metrics() -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
