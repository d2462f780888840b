"""MQTT over TLS, and handshakes that do not come to an end."""

import socket
import ssl
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ingest.listener import CannotListen
from tests.support.gateway import Running, running, sequences, until
from tests.support.mqtt import TOKEN, reading

VERSIONS = pytest.mark.parametrize("version", [4, 5])


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Settings of a gateway that listens for TLS."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    today = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return {"tls_port": 0, "certificate": folder / "cert.pem", "key": folder / "key.pem"}


@VERSIONS
def test_speaks_tls(version: int, certified: dict[str, Any]) -> None:
    with running(**certified) as gateway:
        client = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2, client_id="copier-01", protocol=mqtt.MQTTProtocolVersion(version)
        )
        client.username_pw_set("acme", TOKEN.decode())
        client.tls_set(ca_certs=str(certified["certificate"]), tls_version=ssl.PROTOCOL_TLS_CLIENT)
        client.connect("localhost", gateway.tls_port)
        client.loop_start()
        client.publish("ullage/v1/acme/copier-01/readings", reading(1), qos=1).wait_for_publish(5)
        assert sequences(gateway.journal) == [1]
        client.disconnect()
        client.loop_stop()


def test_tls_needs_its_files(tmp_path: Path) -> None:
    with pytest.raises(CannotListen, match="certificate"), running(tls_port=0):
        pass
    with (
        pytest.raises(CannotListen, match="cannot use"),
        running(tls_port=0, certificate=tmp_path / "none", key=tmp_path / "none"),
    ):
        pass


def raw(gateway: Running, stack: ExitStack) -> socket.socket:
    """A socket on the TLS port that has said nothing yet."""
    sock = stack.enter_context(socket.create_connection(("127.0.0.1", gateway.tls_port)))
    sock.settimeout(5)
    return sock


def is_closed(sock: socket.socket) -> bool:
    """Waits for it. What TLS says before (an alert) is passed over."""
    try:
        while sock.recv(1000):
            pass
    except ConnectionResetError:
        pass
    return True


def half_open(gateway: Running) -> float:
    return gateway.metric("ullage_gateway_half_open")


def test_bounds_handshakes_that_do_not_end(certified: dict[str, Any]) -> None:
    with running(**certified, max_half_open=2) as gateway, ExitStack() as stack:
        waiting = [raw(gateway, stack) for _ in range(2)]
        until(lambda: half_open(gateway) == 2)
        assert is_closed(raw(gateway, stack))
        waiting[0].close()
        until(lambda: half_open(gateway) == 1)
        context = ssl.create_default_context(cafile=str(certified["certificate"]))
        with context.wrap_socket(raw(gateway, stack), server_hostname="localhost") as sock:
            assert sock.version()


def test_closes_who_never_shakes_hands(certified: dict[str, Any]) -> None:
    with running(**certified, connect_timeout=0.1) as gateway, ExitStack() as stack:
        assert is_closed(raw(gateway, stack))
        until(lambda: half_open(gateway) == 0)


def test_closes_who_does_not_speak_tls(certified: dict[str, Any]) -> None:
    with running(**certified) as gateway, ExitStack() as stack:
        sock = raw(gateway, stack)
        sock.sendall(b"\x10\x10\0\4MQTT\4\2\0\x3c\0\4oops")
        assert is_closed(sock)
        until(lambda: half_open(gateway) == 0)
        assert gateway.metric("ullage_gateway_disconnects_total", cause="handshake") == 1


def test_a_stop_does_not_wait_for_handshakes(certified: dict[str, Any]) -> None:
    with running(**certified) as gateway, ExitStack() as stack:
        sock = raw(gateway, stack)
        until(lambda: half_open(gateway) == 1)
        gateway.stop()
        assert is_closed(sock)
