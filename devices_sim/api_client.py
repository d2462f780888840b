"""The product's HTTP API as the world uses it."""

from collections.abc import AsyncIterator
from typing import Any

import httpx

from devices_sim.clock import DomainClock, boot_ms
from devices_sim.errors import Unavailable

PAGE = 200
FLEET_PATIENCE_S = 120.0


class Api:
    """Calls with a bearer token. Every failure is Unavailable or Refused, with what was asked and what came back."""

    def __init__(
        self, url: str, token: str, *, timeout: float = 10.0, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        self._http = httpx.AsyncClient(base_url=url, headers=headers, timeout=timeout, transport=transport)

    async def call(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        key: str | None = None,
        query: dict[str, str | int] | None = None,
        patience_s: float | None = None,
    ) -> Any:
        headers = {"Idempotency-Key": key} if key else {}
        timeout = httpx.USE_CLIENT_DEFAULT if patience_s is None else httpx.Timeout(patience_s)
        try:
            answer = await self._http.request(method, path, json=body, headers=headers, params=query, timeout=timeout)
        except httpx.HTTPError as error:
            raise Unavailable(
                f"{method} {path}: {type(error).__name__} {error}; is the API at {self._http.base_url} up?"
            ) from error
        if answer.is_error:
            raise Refused(f"{method} {path}: {answer.status_code} {answer.text[:300]}", answer.status_code)
        return answer.json() if answer.content else None

    async def time(self, clock: DomainClock) -> None:
        asked = boot_ms()
        answer = await self.call("GET", "/v1/time")
        clock.sync(int(answer["now_ms"]), float(answer["speed"]), asked, boot_ms())

    async def apply_fleet(self, document: dict[str, object]) -> list[dict[str, Any]]:
        """POST /v1/fleet; returns the credentials of devices that are new. Thousands of devices take their time."""
        answer = await self.call("POST", "/v1/fleet", body=document, patience_s=FLEET_PATIENCE_S)
        return list(answer["credentials"])

    async def pages(self, path: str, **query: str | int) -> AsyncIterator[dict[str, Any]]:
        """All items of a cursor-paged collection."""
        cursor: str | None = None
        while True:
            more = {"cursor": cursor} if cursor else {}
            answer = await self.call("GET", path, query={"limit": PAGE, **query, **more})
            for item in answer["items"]:
                yield item
            cursor = answer.get("next")
            if not cursor:
                return

    async def close(self) -> None:
        await self._http.aclose()


class Refused(Unavailable):
    """The API answered with an error status."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status
