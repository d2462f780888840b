"""Serve the application on a socket until told to stop."""

import asyncio
import contextlib
import errno
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import uvicorn

from api.app import create_app
from api.protocol import Protocol
from api.services import Services
from models.stores import StoreError

GOODBYE_S: Final = 1
"""For requests that are under way when the API stops; streams end at once."""
BACKLOG: Final = 1024
SWITCH_S: Final = 0.0005
"""So often threads that read the ledger give the event loop its turn; Python's 5 ms add up over a request's hops."""


class PortInUse(StoreError):
    """Somebody else listens there, or the address is not this machine's."""


class _Server(uvicorn.Server):
    """Without signal handlers: the process has its own."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(
    services: Services,
    host: str,
    port: int,
    cert: Path | None,
    key: Path | None,
    stop: asyncio.Event,
    ready: Callable[[int], None],
) -> None:
    """Serve until `stop`; out within two seconds, also with open event streams. `ready` gets the port.

    Raises PortInUse."""
    app = create_app(services)
    sys.setswitchinterval(SWITCH_S)
    listener = bind(host, port)
    try:
        config = uvicorn.Config(
            app,
            http=Protocol,
            ws="none",
            log_config=None,
            access_log=False,
            lifespan="on",
            server_header=False,
            ssl_certfile=cert,
            ssl_keyfile=key,
            timeout_graceful_shutdown=GOODBYE_S,
            timeout_keep_alive=30,
        )
        server = _Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        stopping = asyncio.create_task(stop.wait())
        try:
            while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn has no event for it
                await asyncio.sleep(0.005)
            if not serving.done():
                ready(listener.getsockname()[1])
            await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
            await app.state.feed.close()
        finally:
            server.should_exit = True
            stopping.cancel()
        await serving
    finally:
        listener.close()


def bind(host: str, port: int) -> socket.socket:
    """Raises PortInUse, which names the setting."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            what = "is in use by another program: set ULLAGE_API_PORT (or api_port) to another one"
        else:
            what = f"cannot be listened on ({error.strerror}): set ULLAGE_API_HOST and ULLAGE_API_PORT"
        raise PortInUse(f"API: {host}:{port} {what}") from error
    return listener
