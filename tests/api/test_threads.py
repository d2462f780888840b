import asyncio

from api.threads import WRITERS, writers
from ledger.roles import Role
from tests.support.api_world import ApiWorld


def test_readers_do_not_wait_behind_writers(world: ApiWorld) -> None:
    """More calls that write than there are threads, while somebody else writes: pages are still read."""

    async def scenario() -> None:
        async with world.app.router.lifespan_context(world.app):  # bounds the threads
            await read_beside_writers()

    async def read_beside_writers() -> None:
        client = world.client(Role.BUYER)
        slots, (order, *_) = world.slots["acme"], await page(client, "/v1/orders")
        with world.ledger.write():  # by this thread, so that all others wait
            asked = [f"/v1/slots/{slots[0]}/swapped"] * 10 + [f"/v1/orders/{order['id']}/cancel"] * 10
            posts = [asyncio.create_task(client.call("POST", path)) for path in asked]
            async with asyncio.timeout(4):
                while writers().borrowed_tokens < WRITERS:
                    await asyncio.sleep(0)
                assert await page(client, "/v1/slots")
                assert (await client.call("GET", f"/v1/slots/{slots[0]}")).is_success
            assert not any(post.done() for post in posts)
        answers = await asyncio.gather(*posts)
        assert all(answer.status_code in {200, 202, 409} for answer in answers)

    async def page(client, path: str) -> list[dict]:
        return (await client.call("GET", path)).raise_for_status().json()["items"]

    asyncio.run(scenario())
