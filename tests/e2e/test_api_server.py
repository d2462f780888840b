"""The server on a socket: events over a real connection, an orderly end, and a port that is taken."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import uvloop

from api.protocol import MOST_OF_HEAD
from api.server import PortInUse, serve
from ledger import events
from ledger.roles import Role
from tests.support.api_world import ApiWorld, api_world
from ullage.client import AsyncClient, Event


@asynccontextmanager
async def served(world: ApiWorld) -> AsyncIterator[tuple[str, asyncio.Event, asyncio.Task[None]]]:
    stop, port = asyncio.Event(), asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(serve(world.services, "127.0.0.1", 0, None, None, stop, port.set_result))
    try:
        yield f"http://127.0.0.1:{await port}", stop, serving
    finally:
        stop.set()
        await serving


def happen(world: ApiWorld, number: int) -> None:
    with world.ledger.write() as tx:
        events.append(tx, world.accounts["acme"], "test.happened", "test/1", {"n": number}, world.now)


def test_events_arrive_resume_and_end_with_the_server(tmp_path: Path) -> None:
    async def run(world: ApiWorld) -> None:
        headers = {"Authorization": f"Bearer {world.token(Role.VIEWER)}"}
        async with served(world) as (url, stop, serving), httpx.AsyncClient(base_url=url, headers=headers) as http:
            async with http.stream("GET", "/v1/events") as stream:
                assert stream.headers["content-type"].startswith("text/event-stream")
                lines = stream.aiter_lines()
                assert await anext(lines) == "retry: 2000"
                await asyncio.sleep(0.3)  # until the stream has found out where "now" is
                began = time.monotonic()
                await asyncio.to_thread(happen, world, 1)
                first = await _event(lines)
                assert time.monotonic() - began < 5
            await asyncio.to_thread(happen, world, 2)
            async with http.stream("GET", "/v1/events", headers={"Last-Event-ID": first["id"]}) as stream:
                lines = stream.aiter_lines()
                second = await _event(lines)
                assert int(second["id"]) == int(first["id"]) + 1
                assert second["event"] == "test.happened"
                began = time.monotonic()
                stop.set()
                assert [line async for line in lines] == []
                await serving
                assert time.monotonic() - began < 2

    with api_world(tmp_path) as world:
        uvloop.run(run(world))


def test_our_own_client_follows_and_goes_on(tmp_path: Path) -> None:
    async def run(world: ApiWorld) -> None:
        token = world.token(Role.VIEWER)
        async with served(world) as (url, _, _), AsyncClient(url, token) as ullage, asyncio.timeout(20):
            await asyncio.to_thread(happen, world, 1)
            seen = [event async for event in _until(ullage.events(0), "test.happened")]
            await asyncio.to_thread(happen, world, 2)
            again = [event async for event in _until(ullage.events(seen[-1].id), "test.happened")]
            assert [event.data for event in again] == [{"n": 2}]
            assert {slot.account async for slot in ullage.list_slots(limit=2)} == {"acme"}

    with api_world(tmp_path) as world:
        uvloop.run(run(world))


async def _until(events: AsyncIterator[Event], kind: str) -> AsyncIterator[Event]:
    async for event in events:
        yield event
        if event.kind == kind:
            return


async def _event(lines: AsyncIterator[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    async with asyncio.timeout(10):
        async for line in lines:
            name, _, value = line.partition(": ")
            if name in {"id", "event", "data"}:
                found[name] = value
            elif not line and "data" in found:
                break
    return found


def test_a_port_in_use_names_the_setting(tmp_path: Path) -> None:
    async def run(world: ApiWorld) -> None:
        async with served(world) as (url, _, _):
            port = int(url.rsplit(":", 1)[1])
            with pytest.raises(PortInUse, match=f"127.0.0.1:{port} is in use.*ULLAGE_API_PORT"):
                await serve(world.services, "127.0.0.1", port, None, None, asyncio.Event(), print)

    with api_world(tmp_path) as world:
        uvloop.run(run(world))


def test_a_head_without_end_is_refused(tmp_path: Path) -> None:
    async def run(world: ApiWorld) -> None:
        async with served(world) as (url, _, _):
            reader, writer = await asyncio.open_connection("127.0.0.1", httpx.URL(url).port)
            writer.write(b"GET /healthz HTTP/1.1\r\nX-Long: " + b"a" * (MOST_OF_HEAD + 1))
            answer = await reader.read()  # until it is closed
            assert answer.startswith(b"HTTP/1.1 400 ")
            writer.close()

    with api_world(tmp_path) as world:
        uvloop.run(run(world))


def test_a_long_body_in_small_parts_is_no_head(tmp_path: Path) -> None:
    async def run(world: ApiWorld) -> None:
        async with served(world) as (url, _, _), httpx.AsyncClient(base_url=url) as http:

            async def parts() -> AsyncIterator[bytes]:
                for _ in range(3 * MOST_OF_HEAD // 1000):
                    yield b"a" * 1000

            answer = await http.post("/v1/slots/1/swapped", content=parts())
            assert answer.status_code == 401

    with api_world(tmp_path) as world:
        uvloop.run(run(world))
