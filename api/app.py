"""The application: every router, the error format, the documentation."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI

from api import description, problems
from api.auth import Gate
from api.feed import Feed
from api.guard import Guard
from api.pages import install as pages
from api.routes import (
    audit,
    devices,
    docs,
    events,
    fleet,
    forecasts,
    happenings,
    health,
    needs,
    ordering,
    orders,
    people,
    purchase_orders,
    purchasing,
    quarantine,
    requests,
    sites,
    slots,
    subscriptions,
    time,
    tokens,
)
from api.services import Services

ROUTERS = (
    time,
    health,
    fleet,
    sites,
    ordering,
    devices,
    slots,
    forecasts,
    needs,
    orders,
    purchase_orders,
    requests,
    happenings,
    quarantine,
    subscriptions,
    people,
    tokens,
    purchasing,
    audit,
    events,
    docs,
)


THREADS: Final = 8
"""As many as the ledger keeps connections; more of them would only take turns at the interpreter's lock."""


def create_app(services: Services) -> FastAPI:
    """Pure composition: nothing is opened, nothing runs. `app.state.feed` is closed with the lifespan, or before."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        current_default_thread_limiter().total_tokens = THREADS
        yield
        await app.state.feed.close()

    app = FastAPI(
        title="Ullage",
        version="1",
        description=description.TEXT,
        docs_url=None,
        redoc_url=None,
        openapi_url="/v1/openapi.json",
        responses=description.RESPONSES,
        lifespan=lifespan,
        generate_unique_id_function=description.operation_id,
    )
    app.state.services = services
    app.state.gate = Gate()
    app.state.feed = Feed(services.ledger)
    problems.install(app)
    for module in ROUTERS:
        app.include_router(module.router)
    pages.install(app)
    app.add_middleware(Guard)
    description.install(app)
    return app
