"""Sockets: TCP and TLS, each a server whose connections speak MQTT."""

import asyncio
import socket
import ssl
from collections.abc import Callable
from pathlib import Path

from ingest.config import GatewayConfig
from ingest.connection import Connection


class CannotListen(Exception):
    """The address cannot be listened on. The message says which setting to change."""


async def listen(config: GatewayConfig, factory: Callable[[], Connection]) -> list[asyncio.Server]:
    """Servers that accept from now on: TCP first, then TLS. Raises CannotListen."""
    if config.port is None and config.tls_port is None:
        raise CannotListen("neither a TCP port nor a TLS port is set: set one of them")
    context = tls_context(config.certificate, config.key) if config.tls_port is not None else None
    servers: list[asyncio.Server] = []
    try:
        if config.port is not None:
            servers.append(await _server(config, config.port, factory, None, "gateway port"))
        if config.tls_port is not None:
            servers.append(await _server(config, config.tls_port, factory, context, "gateway TLS port"))
    except BaseException:
        for server in servers:
            server.close()
        raise
    return servers


def tls_context(certificate: Path | None, key: Path | None) -> ssl.SSLContext:
    """TLS 1.2 and newer. Raises CannotListen when the files are missing or do not fit."""
    if certificate is None or key is None:
        raise CannotListen("TLS needs the files of a certificate and its key: set both")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise CannotListen(f"TLS cannot use {certificate} and {key}: {error}") from error
    return context


async def _server(
    config: GatewayConfig,
    port: int,
    factory: Callable[[], Connection],
    context: ssl.SSLContext | None,
    setting: str,
) -> asyncio.Server:
    loop = asyncio.get_running_loop()
    timeout = config.connect_timeout if context else None
    try:
        server = await loop.create_server(
            factory, config.host, port, backlog=4096, ssl=context, ssl_handshake_timeout=timeout
        )
    except OSError as error:
        raise CannotListen(
            f"cannot listen on {config.host}:{port}: {error.strerror or error}; free it or change the {setting}"
        ) from error
    for listening in server.sockets:
        # accepted sockets inherit it: a dead peer without keep-alive does not stay for ever
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return server
