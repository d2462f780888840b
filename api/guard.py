"""Around every request: bodies are bounded, answers carry the headers that keep browsers from mischief."""

from typing import Final

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

        await self.app(scope, bounded, guarded)
