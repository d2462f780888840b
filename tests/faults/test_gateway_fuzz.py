"""Random and damaged bytes against a running gateway: it goes on, and nobody hangs."""

import contextlib
import socket
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.gateway import Running, running, sequences
from tests.support.mqtt import Client, packet, reading, text

FUZZ = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def gateway() -> Iterator[Running]:
    with running(connect_timeout=0.5) as one:
        yield one


def drain(sock: socket.socket) -> None:
    """Until the gateway closes; a hung connection is a time-out."""
    with contextlib.suppress(OSError):  # it may be closed already
        sock.shutdown(socket.SHUT_WR)
    with contextlib.suppress(ConnectionError):
        while sock.recv(65536):
            pass


def works(gateway: Running) -> None:
    """Another device is served as ever."""
    before = len(sequences(gateway.journal))
    with gateway.client(number=5) as client:
        client.publish(reading(before), 1)
        client.expect(0x40, b"\0\1")
    assert len(sequences(gateway.journal)) > before


def good(version: int) -> bytes:
    client = Client.__new__(Client)
    client.version, client.number = version, 1
    subscribe = packet(0x82, b"\0\3" + client.none + text(client.topic("orders")) + b"\1")
    return (
        client.message(reading(1), 1)
        + subscribe
        + b"\xc0\0"
        + client.message(reading(2), 2, qos=0)
        + client.message(b"not json", 3)
        + b"\x40\x02\0\1"
    )


@FUZZ
@given(data=st.binary(max_size=300))
def test_any_bytes_before_connect(gateway: Running, data: bytes) -> None:
    with Client(gateway.port) as client:
        client.sock.sendall(data)
        drain(client.sock)
    works(gateway)


@FUZZ
@given(version=st.sampled_from([4, 5]), data=st.binary(max_size=300))
def test_any_bytes_after_connect(gateway: Running, version: int, data: bytes) -> None:
    with gateway.client(version) as client:
        with contextlib.suppress(ConnectionError):
            client.sock.sendall(data)
        drain(client.sock)
    works(gateway)


@FUZZ
@given(
    version=st.sampled_from([4, 5]),
    at=st.integers(0, 10_000),
    junk=st.binary(min_size=1, max_size=4),
    insert=st.booleans(),
    cut=st.integers(1, 400),
)
def test_damaged_packets_in_pieces(
    gateway: Running, version: int, at: int, junk: bytes, insert: bool, cut: int
) -> None:
    data = good(version)
    at %= len(data)
    data = data[:at] + junk + data[at if insert else at + len(junk) :]
    with gateway.client(version) as client:
        with contextlib.suppress(ConnectionError):
            for start in range(0, len(data), cut):
                client.sock.sendall(data[start : start + cut])
        drain(client.sock)
    works(gateway)


@FUZZ
@given(
    payload=st.one_of(
        st.binary(max_size=400), st.integers(0, 200).map(lambda n: reading(1)[:n] + b"\xff" + reading(1)[n:])
    )
)
def test_any_payload_is_acknowledged(gateway: Running, payload: bytes) -> None:
    with gateway.client(number=2) as client:
        client.publish(payload, 1)
        client.publish(reading(7), 2)
        client.expect(0x40, b"\0\1")
        client.expect(0x40, b"\0\2")
