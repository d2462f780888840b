"""The feed: one poller for all streams; resumable, by scope, alive, and gone when the API stops."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from api.feed import Feed
from api.routes.events import line
from ledger import events
from ledger import tables as t
from ledger.events import Event
from ledger.scope import Scope
from tests.support.api_world import ApiWorld


def happen(world: ApiWorld, number: int, account: str = "acme") -> None:
    with world.ledger.write() as tx:
        events.append(tx, world.accounts[account], "test.happened", f"test/{number}", {"n": number}, world.now)


async def take(source: AsyncIterator[list[Event]], number: int) -> list[Event]:
    out: list[Event] = []
    async with asyncio.timeout(10):
        async for found in source:
            out += found
            if len(out) >= number:
                break
    return out


def test_streams_see_what_happens_in_their_accounts(world: ApiWorld) -> None:
    feed = Feed(world.ledger)
    acme, everything = Scope.of(world.accounts["acme"]), Scope.all()

    async def run() -> tuple[list[Event], list[Event]]:
        async with aclosing(feed.follow(acme, 0)) as mine, aclosing(feed.follow(everything, 0)) as both:
            old = len(world.rows(t.event, t.event.c.account_id == world.accounts["acme"]))
            await take(mine, old)  # what was there before
            await take(both, len(world.rows(t.event)))
            for n in range(4):
                happen(world, n, "acme" if n % 2 else "umbra")
            return await take(mine, 2), await take(both, 4)

    first, second = asyncio.run(run())
    assert [e.data["n"] for e in first] == [1, 3]
    assert [e.data["n"] for e in second] == [0, 1, 2, 3]


def test_a_stream_goes_on_where_it_was(world: ApiWorld) -> None:
    """Also from before the poller began, over a page, and over what is remembered."""
    for n in range(20):
        happen(world, n)
    numbers = [row.id for row in world.rows(t.event)]

    async def run(after: int) -> list[int]:
        feed = Feed(world.ledger)
        async with aclosing(feed.follow(Scope.all(), after)) as source:
            return [event.id for event in await take(source, len([n for n in numbers if n > after]))]

    for after in (0, numbers[5], numbers[-2]):
        assert asyncio.run(run(after)) == [n for n in numbers if n > after]


def test_from_now_on_means_nothing_older(world: ApiWorld) -> None:
    async def run() -> list[Event]:
        feed = Feed(world.ledger, heartbeat_s=0.05)
        async with aclosing(feed.follow(Scope.all(), None)) as source:
            assert await anext(source) == []  # a heartbeat: it is listening by now
            happen(world, 7)
            return await take(source, 1)

    assert [event.data for event in asyncio.run(run())] == [{"n": 7}]


def test_nothing_polls_when_nobody_listens(world: ApiWorld) -> None:
    async def run() -> int:
        feed = Feed(world.ledger, heartbeat_s=0.01)
        async with aclosing(feed.follow(Scope.all(), None)) as source:
            await anext(source)
        return len(asyncio.all_tasks())

    assert asyncio.run(run()) == 1


def test_closing_ends_all_streams(world: ApiWorld) -> None:
    async def run() -> list[Any]:
        feed = Feed(world.ledger)
        waiting = [asyncio.create_task(take(feed.follow(Scope.all(), None), 1)) for _ in range(3)]
        await asyncio.sleep(0.05)
        await feed.close()
        return await asyncio.gather(*waiting)

    assert asyncio.run(run()) == [[], [], []]


def test_an_event_is_three_lines(world: ApiWorld) -> None:
    event = Event(17, 1, "order.placed", "order/3", {"by": "a\nb"}, world.now)
    first, second, third, *rest = line(event).decode().split("\n")
    assert (first, second, rest) == ("id: 17", "event: order.placed", ["", ""])
    assert third.startswith('data: {"id":17,')
    assert '"happened_at":"2026-11-18T' in third
    assert b"event:" not in line(event, named=False)
