"""What the roles share."""

import asyncio
import os
import socket

from ullage.role import Role


def instance(role: Role) -> str:
    """Who it is, for people and leases: one process of one machine."""
    return f"{role.name}@{socket.gethostname()}:{os.getpid()}"


async def pause(role: Role, seconds: float) -> None:
    """Wait, but not longer than until the role is to stop."""
    try:
        async with asyncio.timeout(seconds):
            await role.stop.wait()
    except TimeoutError:
        return
