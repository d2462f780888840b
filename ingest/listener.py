"""Sockets: TCP and TLS, each a server whose connections speak MQTT."""

import asyncio
import resource
import socket
import ssl
from pathlib import Path

import structlog

from ingest.connection import Connection
from ingest.shared import Shared
from ingest.tls import TlsServer
from models.stores import StoreError

log = structlog.get_logger()

PORT, TLS_PORT = "ULLAGE_MQTT_PORT", "ULLAGE_MQTT_TLS_PORT"
_OTHER_FILES = 128
_BACKLOG = 4096

Server = asyncio.Server | TlsServer


class CannotListen(StoreError):
    """The address cannot be listened on. The message says which setting to change."""


async def listen(shared: Shared) -> list[Server]:
    """Servers that accept from now on: TCP first, then TLS. Raises CannotListen."""
    config = shared.config
    if config.port is None and config.tls_port is None:
        raise CannotListen("neither a TCP port nor a TLS port is set: set one of them")
    tls_setting = PORT if config.port is None else TLS_PORT
    context = tls_context(config.certificate, config.key) if config.tls_port is not None else None
    allow_files(config.max_connections + config.max_half_open + _OTHER_FILES)
    servers: list[Server] = []
    try:
        if config.port is not None:
            sock = _bound(config.host, config.port, PORT)
            servers.append(await shared.loop.create_server(lambda: Connection(shared), sock=sock, backlog=_BACKLOG))
        if context is not None and config.tls_port is not None:
            servers.append(TlsServer(shared, _bound(config.host, config.tls_port, tls_setting), context))
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


def _bound(host: str, port: int, setting: str) -> socket.socket:
    """A listening socket. Raises CannotListen, which names the setting."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listening = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise CannotListen(
            f"cannot listen on {host}:{port} ({error.strerror or error}): set {setting} to another one, "
            "or end the program that has it"
        ) from error
    listening.setblocking(False)
    # accepted sockets inherit it: a dead peer without keep-alive does not stay for ever
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return listening
