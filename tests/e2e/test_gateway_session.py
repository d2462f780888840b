"""Who may connect, and what the protocol's corners get: refused as the specifications say."""

import resource
from dataclasses import replace

import pytest

from ingest.listener import CannotListen
from tests.support.gateway import records, running, sequences, until
from tests.support.gateway_fakes import FakeDirectory, identity
from tests.support.mqtt import Client, packet, reading, text

VERSIONS = pytest.mark.parametrize("version", [4, 5])


def code(version: int, old: int, new: int) -> int:
    return old if version == 4 else new


def test_mqtt_3_1_1_is_welcomed() -> None:
    with running() as gateway, Client(gateway.port) as client:
        assert client.connect() == b"\0\0"
        assert gateway.metric("ullage_gateway_connections") == 1


def test_mqtt_5_is_told_the_bounds() -> None:
    with running() as gateway, Client(gateway.port, 5) as client:
        answer = client.connect(clean=False, properties=b"\x11\0\0\0\x3c")
        assert answer[:2] == b"\0\0"  # no session present, success
        assert answer[3:] == (
            b"\x21\x01\xf4"  # Receive Maximum 500
            b"\x24\x01"  # Maximum QoS 1
            b"\x25\x00"  # Retain Available 0
            b"\x27\x00\x02\x00\x00"  # Maximum Packet Size 128 KiB
            b"\x28\x00\x29\x00\x2a\x00"  # no wildcards, no subscription identifiers, no shared subscriptions
            b"\x11\x00\x00\x00\x00"  # Session Expiry 0
        )


@VERSIONS
@pytest.mark.parametrize(
    ("options", "old", "new"),
    [
        ({"token": b"wrong"}, 4, 0x86),
        ({"user": "other"}, 4, 0x86),
        ({"client": "copier-99"}, 4, 0x86),
        ({"client": ""}, 2, 0x85),
        ({"client": "no spaces"}, 2, 0x85),
        ({"will": ("ullage/v1/acme/copier-02/readings", b"")}, 5, 0x87),
        ({"will": ("ullage/v1/acme/copier-01/readings", b""), "will_flags": 0x10}, 5, 0x9B),
    ],
)
def test_refuses_who_may_not_connect(version: int, options: dict[str, object], old: int, new: int) -> None:
    with running() as gateway, Client(gateway.port, version) as client:
        answer = client.connect(**options)  # type: ignore[arg-type]
        assert answer[:2] == bytes((0, code(version, old, new)))
        client.closed()


def test_refuses_a_retained_will_where_the_protocol_can_say_so() -> None:
    with running() as gateway, Client(gateway.port, 5) as client:
        answer = client.connect(will=("ullage/v1/acme/copier-01/readings", b""), will_flags=0x20)
        assert answer[1] == 0x9A


def test_refuses_extended_authentication() -> None:
    with running() as gateway, Client(gateway.port, 5) as client:
        assert client.connect(properties=b"\x15" + text("SCRAM"))[1] == 0x8C


@VERSIONS
def test_a_device_works_once_it_is_ready(version: int) -> None:
    directory = FakeDirectory(identity(1, ready=False))
    with running(directory=directory) as gateway:
        with Client(gateway.port, version) as client:
            assert client.connect()[1] == code(version, 3, 0x88)
        directory.put(identity(1))
        with Client(gateway.port, version) as client:  # without waiting for the next poll
            assert client.connect()[1] == 0


def test_a_new_device_need_not_wait_for_the_next_poll() -> None:
    directory = FakeDirectory()
    with running(directory=directory, directory_poll=60) as gateway:
        directory.put(identity(3))
        with gateway.client(number=3) as client:
            client.publish(reading(1), 1)
            client.expect(0x40, b"\0\1")


def test_bounds_how_often_it_asks_for_unknown_devices() -> None:
    with running(lookups_per_second=1) as gateway:
        codes = []
        for _ in range(3):
            with Client(gateway.port, 5) as client:
                codes.append(client.connect(client=f"nobody-{len(codes)}")[1])
        assert codes[0] == 0x86
        assert 0x89 in codes
        assert gateway.directory.lookups < 3


def test_a_device_that_tries_again_and_again_is_looked_up_now_and_then() -> None:
    with running() as gateway:
        for _ in range(8):
            with Client(gateway.port, 5) as client:
                assert client.connect(token=b"old")[1] == 0x86
        assert 1 <= gateway.directory.lookups <= 5


def test_says_unavailable_when_the_directory_is() -> None:
    with running() as gateway:
        gateway.directory.available = False
        with Client(gateway.port) as client:
            assert client.connect(token=b"new")[1] == 3
        with Client(gateway.port) as client:
            assert client.connect()[1] == 0  # who is known can come


@VERSIONS
def test_a_retired_device_is_disconnected_and_refused(version: int) -> None:
    with running() as gateway, gateway.client(version) as client:
        gateway.directory.put(identity(1, retired=True))
        client.closed(0x98)
        with Client(gateway.port, version) as again:
            assert again.connect()[1] == code(version, 5, 0x87)


def test_a_rotated_credential_disconnects_the_old_one() -> None:
    with running() as gateway, gateway.client() as client:
        gateway.directory.put(identity(1, credential=b"0" * 32))
        client.closed()


def test_a_change_of_names_reaches_an_open_connection() -> None:
    with running() as gateway, gateway.client() as client:
        known = identity(1)
        slots = {"new": replace(known.slots["black"], slot=77)}
        gateway.directory.put(replace(known, slots=slots))

        def resolved() -> bool:
            client.publish(reading(1, supplies={"new": {"level": 0.5}}), 1)
            client.expect(0x40)
            frame = records(gateway.journal)[-1]
            return int(frame.supplies["slot"][0]) == 77  # type: ignore[union-attr]

        until(resolved)


@VERSIONS
def test_the_same_client_takes_over(version: int) -> None:
    with running() as gateway, gateway.client(version) as old, gateway.client(version) as new:
        old.closed(0x8E)
        new.publish(reading(1), 1)
        new.expect(0x40, b"\0\1")
        assert gateway.metric("ullage_gateway_connections") == 1


def test_closes_a_connection_that_never_says_connect() -> None:
    with running(connect_timeout=0.1) as gateway, Client(gateway.port) as client:
        client.closed()


def test_bounds_half_open_connections() -> None:
    with running(max_half_open=2) as gateway:
        waiting = [Client(gateway.port), Client(gateway.port)]
        until(lambda: gateway.metric("ullage_gateway_half_open") == 2)
        with Client(gateway.port) as third:
            third.closed()
        assert waiting[0].connect(1)[1] == 0
        for client in waiting:
            client.sock.close()


@VERSIONS
def test_bounds_connections(version: int) -> None:
    with running(max_connections=1) as gateway, gateway.client(version, 1), Client(gateway.port, version) as second:
        assert second.connect(2)[1] == code(version, 3, 0x97)


@VERSIONS
def test_keep_alive_ends_a_silent_connection(version: int) -> None:
    with running() as gateway, gateway.client(version, keep_alive=1) as client:
        client.closed(0x8D)


@VERSIONS
def test_pings_keep_a_connection_alive(version: int) -> None:
    with running() as gateway, gateway.client(version, keep_alive=1) as client:
        for _ in range(3):
            client.quiet(0.7)
            client.sock.sendall(b"\xc0\0")
            client.expect(0xD0, b"")


def test_without_a_keep_alive_silence_is_no_end() -> None:
    with running(connect_timeout=0.1) as gateway, gateway.client(keep_alive=0) as client:
        client.quiet(0.4)
        client.sock.sendall(b"\xc0\0")
        client.expect(0xD0, b"")


def test_another_protocol_version_is_refused_with_code_1() -> None:
    with running() as gateway, Client(gateway.port, 3) as client:
        client.sock.sendall(packet(0x10, text("MQTT") + b"\x03\x02\0\x3c" + text("x")))
        client.expect(0x20, b"\0\1")
        client.closed()


@VERSIONS
@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (packet(0x10, text("MQTT") + b"\x04\x02\0\x3c" + text("copier-01")), 0x82),  # a second CONNECT
        (b"\x20\x02\0\0", 0x82),  # CONNACK is the server's
        (b"\xf0\x00", 0x82),  # AUTH
        (b"\x30\xff\xff\xff\xff", 0x81),  # a length of five bytes
        (b"\x30\xff\xff\xff\x7f", 0x95),  # 256 MiB
        (b"\x36\x05\0\1a\0\1", 0x81),  # QoS 3
        (b"\x80\x02\0\1", 0x81),  # SUBSCRIBE with wrong flags
        (b"\x00\x00", 0x82),
    ],
)
def test_a_broken_protocol_ends_the_connection(version: int, data: bytes, reason: int) -> None:
    with running() as gateway, gateway.client(version) as client:
        client.sock.sendall(data)
        client.closed(reason)


@VERSIONS
def test_qos_2_is_refused(version: int) -> None:
    with running() as gateway, gateway.client(version) as client:
        client.publish(reading(), qos=2)
        client.closed(0x9B)
        assert records(gateway.journal) == []


def test_retain_is_refused_by_mqtt_5() -> None:
    with running() as gateway, gateway.client(5) as client:
        client.publish(reading(), flags=1)
        client.closed(0x9A)


def test_retain_means_nothing_in_3_1_1() -> None:
    with running() as gateway, gateway.client() as client:
        client.publish(reading(4), 1, flags=1)
        client.expect(0x40, b"\0\1")
        assert sequences(gateway.journal) == [4]


def test_a_topic_alias_is_refused() -> None:
    with running() as gateway, gateway.client(5) as client:
        client.publish(reading(), properties=b"\x03\x23\0\1")
        client.closed(0x94)


def test_harmless_properties_are_ignored() -> None:
    with running() as gateway, gateway.client(5) as client:
        user = b"\x26" + text("a") + text("b")
        client.publish(reading(8), 1, properties=bytes((2 + len(user),)) + b"\x01\x01" + user)
        client.expect(0x40, b"\0\1")
        assert sequences(gateway.journal) == [8]


def test_a_foreign_topic_is_refused_and_nothing_of_it_is_stored() -> None:
    with running() as gateway, gateway.client(5) as client:
        client.publish(reading(1), 6, topic="ullage/v1/acme/copier-02/readings")
        client.expect(0x40, b"\0\x06\x87")
        client.publish(reading(2), 7)
        client.expect(0x40, b"\0\x07")
        assert sequences(gateway.journal) == [2]
        assert gateway.metric("ullage_gateway_foreign_topics_total") == 1


def test_a_foreign_topic_at_qos_0_is_counted_and_passed_over() -> None:
    with running() as gateway, gateway.client(5) as client:
        client.publish(reading(1), qos=0, topic="ullage/v1/other/copier-01/readings")
        client.publish(reading(2), 7)
        client.expect(0x40, b"\0\x07")
        assert sequences(gateway.journal) == [2]
        assert gateway.metric("ullage_gateway_foreign_topics_total") == 1


def test_a_foreign_topic_ends_a_3_1_1_connection() -> None:
    with running() as gateway, gateway.client() as client:
        client.publish(reading(1), 6, topic="ullage/v1/acme/copier-02/readings")
        client.closed()
        assert records(gateway.journal) == []


def test_allows_itself_as_many_open_files_as_connections() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        with running(max_connections=300, max_half_open=50):
            assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] >= 350
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_port_in_use_says_which_setting_to_change() -> None:
    with running() as first, pytest.raises(CannotListen, match="set ULLAGE_MQTT_PORT"), running(port=first.port):
        pass
