"""Sockets: TCP and TLS, each a server whose connections speak MQTT."""

import asyncio
import resource
import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import structlog

from ingest.config import GatewayConfig
from ingest.connection import Connection
from models.stores import StoreError

log = structlog.get_logger()

_OTHER_FILES = 128


class CannotListen(StoreError):
    """The address cannot be listened on. The message says which setting to change."""


async def listen(config: GatewayConfig, factory: Callable[[], Connection]) -> list[asyncio.Server]:
    """Servers that accept from now on: TCP first, then TLS. Raises CannotListen."""
    if config.port is None and config.tls_port is None:
        raise CannotListen("neither a TCP port nor a TLS port is set: set one of them")
    context = tls_context(config.certificate, config.key) if config.tls_port is not None else None
    allow_files(config.max_connections + config.max_half_open + _OTHER_FILES)
    servers: list[asyncio.Server] = []
    try:
        if config.port is not None:
            servers.append(await _server(config, config.port, factory, None, "ULLAGE_MQTT_PORT"))
        if config.tls_port is not None:
            servers.append(await _server(config, config.tls_port, factory, context, "ULLAGE_MQTT_PORT"))
    except BaseException:
        for server in servers:
            server.close()
        raise
    return servers


def allow_files(wanted: int) -> int:
    """Every connection is an open file: raise this process's limit as far as it may, tell when that is too little.

    The limit that holds now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        if soft < wanted:
            log.warning("gateway.few_open_files", limit=soft, wanted=wanted, advice="raise it: ulimit -Hn")
    return soft


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
            f"cannot listen on {config.host}:{port} ({error.strerror or error}): set {setting} to another one, "
            "or end the program that has it"
        ) from error
    for listening in server.sockets:
        # accepted sockets inherit it: a dead peer without keep-alive does not stay for ever
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return server
