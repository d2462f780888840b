"""Is the process alive (`/healthz`), can it serve (`/readyz`), what does it measure (`/metrics`)?"""

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from api.problems import Problem
from api.services import Wired

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """Is the process alive? Asks nobody else."""
    return {"status": "alive"}


@router.get("/readyz")
def readyz(wired: Wired) -> dict[str, str]:
    """Can it serve? If not, the problem says why."""
    if reasons := wired.not_ready():
        raise Problem(503, "not_ready", "; ".join(reasons), {"Retry-After": "1"})
    return {"status": "ready"}


class Text(Response):
    media_type = "text/plain"


@router.get("/metrics", response_class=Text, responses={200: {"content": {"text/plain": {"example": "# HELP ..."}}}})
def metrics(wired: Wired) -> Response:
    """In the text format of Prometheus; of this process and of the other roles of this machine."""
    return Response(generate_latest() + wired.other_metrics().encode(), media_type=CONTENT_TYPE_LATEST)
