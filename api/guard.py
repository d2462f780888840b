"""Around every request: bodies are bounded, answers carry the headers that keep browsers from mischief."""

import time
from typing import Final

from prometheus_client import Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST: Final = 1 << 20
MOST_OF_FLEET: Final = 32 << 20
"""A fleet document of some 100,000 devices."""

HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
"""Unless the answer has its own."""
HSTS: Final = "max-age=31536000"

SECONDS: Final = Histogram(
    "ullage_api_request_seconds",
    "How long a request took, by method, route and status; event streams until they end.",
    ("method", "route", "status"),
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)


class Guard:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        most = MOST_OF_FLEET if scope["path"] == "/v1/fleet" else MOST
        length = Headers(scope=scope).get("content-length", "0")
        # said to be too much: refused before anything of it is read
        taken = most + 1 if not length.isdecimal() or int(length) > most else 0

        async def bounded() -> Message:
            nonlocal taken
            if taken <= most:
                message = await receive()
                taken += len(message.get("body", b""))
                if taken <= most:
                    return message
            raise HTTPException(413, f"the body has more than {most} bytes: send less at once", {"Connection": "close"})

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if scope["scheme"] == "https":
                    headers.setdefault("Strict-Transport-Security", HSTS)
            await send(message)

        began, status = time.perf_counter(), 500

        async def measured(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await guarded(message)

        try:
            await self.app(scope, bounded, measured)
        finally:
            route = scope.get("route")
            path = getattr(route, "path", "none")  # the template: a label for each id would be without end
            SECONDS.labels(scope["method"] if path != "none" else "", path, status).observe(time.perf_counter() - began)
