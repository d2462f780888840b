"""The client without asyncio over an application in this process: each call in an event loop of its own."""

import asyncio
from typing import Any

import httpx


class Bridge(httpx.BaseTransport):
    """Keeps what was sent. `fail` next calls break before an answer arrives, after the application has done them."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.sent: list[httpx.Request] = []
        self.fail = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request)
        answer = asyncio.run(self._answer(request))
        if self.fail:
            self.fail -= 1
            raise httpx.ReadError("the line broke", request=request)
        return answer

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        inner = httpx.Request(request.method, request.url, headers=request.headers, content=request.read())
        answer = await httpx.ASGITransport(self.app).handle_async_request(inner)
        return httpx.Response(answer.status_code, headers=answer.headers, content=await answer.aread())
