"""HTTP to the public internet only: an address that an account gave must not reach into the house (SSRF).

The name is resolved once, every address is looked at, and the connection goes to the address that was looked at, so
that a name which answers differently the second time (DNS rebinding) gains nothing.
"""

import ipaddress
import socket
from collections.abc import Iterable
from typing import Any

import httpcore
import httpx


class NotPublic(Exception):
    """The address is of this machine, a private network or the like."""


class PublicTransport(httpx.HTTPTransport):
    """As httpx.HTTPTransport; raises NotPublic before anything is sent."""

    def __init__(self) -> None:
        super().__init__()
        self._pool.close()
        self._pool = httpcore.ConnectionPool(  # httpx has no way to give it a network backend
            ssl_context=httpx.create_ssl_context(), network_backend=_PublicNetwork()
        )


class _PublicNetwork(httpcore.NetworkBackend):
    def __init__(self) -> None:
        self._real = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise httpcore.ConnectError(f"{host}: {error}") from error
        addresses = [str(one[4][0]) for one in found]
        for address in addresses:
            if not is_public(address):
                raise NotPublic(
                    f"{host} is {address}, not of the public internet: use another, or let the operator "
                    "set ULLAGE_WEBHOOK_PRIVATE=1"
                )
        return self._real.connect_tcp(addresses[0], port, timeout, local_address, socket_options)


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet, also where it hides another one."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None) or _nat64(ip)
        if inner is not None:
            return is_public(str(inner))
    return ip.is_global and not ip.is_multicast


def _nat64(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """RFC 6052: 64:ff9b::/96 ends in an IPv4 address."""
    return ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF) if int(ip) >> 32 == 0x64FF9B << 64 else None
