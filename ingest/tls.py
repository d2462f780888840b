"""TLS: accepts sockets and shakes hands. Who has not yet done so is half open, and bounded like the wait for CONNECT.

The event loop's own TLS servers tell a protocol of its socket only when hands were shaken; until then nobody counts it.
"""

import asyncio
import socket
import ssl

import structlog

from ingest.connection import Connection
from ingest.shared import Shared

log = structlog.get_logger()

_PAUSE_S = 0.1
"""Until the next try when no socket can be accepted: there are too many open files."""


class TlsServer:
    """Serves from its creation until `close`."""

    def __init__(self, shared: Shared, listening: socket.socket, context: ssl.SSLContext) -> None:
        self._shared = shared
        self._context = context
        self.sockets = (listening,)
        self._accepting = shared.loop.create_task(self._accept(listening))
        self._shaking: set[asyncio.Task[None]] = set()

    def close(self) -> None:
        """No more accepts; handshakes that have not come to an end never do."""
        for task in (self._accepting, *self._shaking):
            task.cancel()
        self.sockets[0].close()

    async def _accept(self, listening: socket.socket) -> None:
        loop = self._shared.loop
        while True:
            try:
                sock, _ = await loop.sock_accept(listening)
            except OSError as error:
                log.warning("gateway.cannot_accept", error=str(error))
                await asyncio.sleep(_PAUSE_S)
                continue
            connection = Connection(self._shared)
            if not connection.admitted():
                sock.close()
                continue
            task = loop.create_task(self._shake_hands(connection, sock))
            self._shaking.add(task)
            task.add_done_callback(self._shaking.discard)

    async def _shake_hands(self, connection: Connection, sock: socket.socket) -> None:
        shared = self._shared
        try:
            await shared.loop.connect_accepted_socket(
                lambda: connection, sock, ssl=self._context, ssl_handshake_timeout=shared.config.connect_timeout
            )
        except OSError as error:  # of TLS, of the network, of time
            log.info("gateway.handshake_failed", error=str(error))
        finally:
            if not connection.connected:  # also when the peer just went: that is no error to the event loop
                shared.metrics.disconnects.labels("handshake").inc()
                connection.connection_lost(None)
