"""A reading's way through the gateway: acknowledged when durable, in order, whatever the journal does meanwhile."""

import json
import time
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest

from ingest.flow import METERED
from journal.sqlite import SqliteJournal
from models.frame import ReadingFlag, Signal
from tests.support.gateway import frames, records, refused, running, sequences, until
from tests.support.gateway_fakes import NOW, MemoryJournal
from tests.support.mqtt import TOKEN, reading

VERSIONS = pytest.mark.parametrize("version", [4, 5])


@VERSIONS
def test_paho_publishes_and_finds_it_in_the_journal(version: int, tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal.db")
    with running(journal) as gateway:
        client = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2, client_id="copier-01", protocol=mqtt.MQTTProtocolVersion(version)
        )
        client.username_pw_set("acme", TOKEN.decode())
        client.connect("127.0.0.1", gateway.port)
        client.loop_start()
        sent = [client.publish("ullage/v1/acme/copier-01/readings", reading(seq), qos=1) for seq in range(1, 31)]
        for info in sent:
            info.wait_for_publish(5)
        assert sequences(journal) == list(range(1, 31))
        client.disconnect()
        client.loop_stop()
    frame = frames(journal)[0]
    assert frame.readings["device"][0] == 1
    assert frame.supplies[0].tolist() == (11, 0, 42.0, 42.0)
    assert frame.counters[0].tolist() == (0, 0, 0, 182341)
    journal.close()


@VERSIONS
def test_acknowledges_only_what_is_durable(version: int) -> None:
    journal = MemoryJournal()
    with running(journal) as gateway, gateway.client(version) as client:
        journal.gate.clear()
        client.publish(reading(), 7)
        client.quiet()
        journal.gate.set()
        client.expect(0x40, b"\0\7")
        assert sequences(journal) == [1]


@VERSIONS
def test_takes_qos_0_without_an_answer(version: int) -> None:
    with running() as gateway, gateway.client(version) as client:
        client.publish(reading(3), qos=0)
        until(lambda: sequences(gateway.journal) == [3])
        client.sock.sendall(b"\xc0\0")
        client.expect(0xD0, b"")


@VERSIONS
def test_acknowledges_a_repeated_message_again(version: int) -> None:
    with running() as gateway, gateway.client(version) as client:
        client.publish(reading(1), 9)
        client.expect(0x40, b"\0\x09")
        client.publish(reading(1), 9, flags=8)
        client.expect(0x40, b"\0\x09")
        assert sequences(gateway.journal) == [1, 1]  # `step` drops it by its boot and seq


@VERSIONS
def test_acknowledges_in_order_what_comes_in_one_read(version: int) -> None:
    with running() as gateway, gateway.client(version) as client:
        middle = client.message(b"not json", 51)
        early = b"".join(client.message(reading(n), n) for n in range(1, 51))
        late = b"".join(client.message(reading(n), n) for n in range(52, 101))
        client.sock.sendall(early + middle + b"\xc0\0" + late)
        numbers, pings = [], 0
        while len(numbers) < 100:
            first, body = client.receive()
            if first == 0x40:
                numbers.append(int.from_bytes(body, "big"))
            else:
                pings += 1
        assert numbers == list(range(1, 101))
        assert pings == 1
        assert sequences(gateway.journal) == [*range(1, 51), *range(52, 101)]


@VERSIONS
def test_takes_packets_byte_by_byte(version: int) -> None:
    with running() as gateway, gateway.client(version) as client:
        for byte in client.message(reading(1), 1) + client.message(reading(2), 2):
            client.sock.sendall(bytes((byte,)))
        client.expect(0x40, b"\0\1")
        client.expect(0x40, b"\0\2")
        assert sequences(gateway.journal) == [1, 2]


def test_keeps_refused_input_as_durably_as_readings() -> None:
    with running() as gateway, gateway.client() as client:
        client.publish(reading(1, supplies={"black": {"level": 42}}), 5)
        client.expect(0x40, b"\0\x05")
        (record,) = refused(gateway.journal)
        assert (record.device, record.code, record.received) == (1, "level_out_of_range", NOW)
        assert record.reason == "supplies.black.level is 42: use 0..1"
        assert json.loads(record.raw)["seq"] == 1
        assert gateway.metric("ullage_gateway_refused_total", code="level_out_of_range") == 1


def test_bounds_what_is_kept_of_a_broken_device() -> None:
    with running(refused_per_minute=3, raw_kept=10) as gateway:
        with gateway.client() as client:
            for number in range(1, 11):
                client.publish(b"x" * 100, number)
                client.expect(0x40, bytes((0, number)))
        until(lambda: len(refused(gateway.journal)) == 4)
        kept = refused(gateway.journal)
        assert [len(record.raw) for record in kept] == [10, 10, 10, 0]
        assert kept[-1].code == "not_kept"
        assert kept[-1].reason.startswith("7 more")
        assert gateway.metric("ullage_gateway_refused_unkept_total") == 7


def test_keeps_a_message_that_is_somewhat_too_large_as_refused() -> None:
    with running() as gateway, gateway.client() as client:
        client.publish(b" " * 70_000, 1)
        client.expect(0x40, b"\0\1")
        assert refused(gateway.journal)[0].code == "too_large"


@VERSIONS
def test_a_packet_beyond_the_maximum_ends_the_connection(version: int) -> None:
    with running() as gateway, gateway.client(version) as client:
        client.publish(b" " * (128 * 1024), 1)
        client.closed(0x95)
        assert records(gateway.journal) == []


@VERSIONS
def test_pauses_while_the_journal_is_unavailable_and_goes_on_by_itself(version: int) -> None:
    journal = MemoryJournal()
    with (
        running(journal, retry_first=0.01, retry_most=0.02) as gateway,
        gateway.client(version, keep_alive=1) as client,
    ):
        journal.failing = True
        client.publish(reading(1), 1)
        until(lambda: gateway.metric("ullage_gateway_paused") == 1)
        client.publish(reading(2), 2)
        client.quiet(2.0)  # longer than 1.5 times the keep-alive: it does not run meanwhile
        assert sequences(journal) == []
        journal.failing = False
        client.expect(0x40, b"\0\1")
        client.expect(0x40, b"\0\2")
        assert sequences(journal) == [1, 2]
        assert gateway.metric("ullage_gateway_paused") == 0


def test_a_lasting_fault_of_the_journal_ends_the_gateway_unacknowledged() -> None:
    journal = MemoryJournal()

    def broken(_: object) -> list[int]:
        raise RuntimeError("a fault of ours")

    journal.append = broken  # type: ignore[method-assign]

    def publish() -> None:
        with running(journal) as gateway, gateway.client() as client:
            client.publish(reading(1), 1)
            client.closed()

    with pytest.raises(RuntimeError, match="a fault of ours"):
        publish()


def test_holds_back_one_connection_that_has_too_much_in_flight() -> None:
    journal = MemoryJournal()
    with running(journal, in_flight=10) as gateway, gateway.client() as client:
        journal.gate.clear()
        client.sock.sendall(b"".join(client.message(reading(n), n) for n in range(1, 101)))
        client.quiet()
        journal.gate.set()
        for number in range(1, 101):
            client.expect(0x40, number.to_bytes(2, "big"))
        assert sequences(journal) == list(range(1, 101))


def test_holds_all_connections_back_when_too_much_is_pending() -> None:
    journal = MemoryJournal()
    with running(journal, pending_high=20, pending_low=10, batch=5) as gateway:
        clients = [gateway.client(number=n) for n in range(1, 5)]
        journal.gate.clear()
        for client in clients:
            client.sock.sendall(b"".join(client.message(reading(n), n) for n in range(1, 51)))
            client.quiet(0.05)
        journal.gate.set()
        for client in clients:
            for number in range(1, 51):
                client.expect(0x40, number.to_bytes(2, "big"))
            client.sock.close()
        assert len(sequences(journal)) == 200


def test_a_full_mqtt_5_window_is_a_protocol_error() -> None:
    journal = MemoryJournal()
    with running(journal, in_flight=10) as gateway, gateway.client(5) as client:
        journal.gate.clear()
        client.sock.sendall(b"".join(client.message(reading(n), n) for n in range(1, 12)))
        client.closed(0x93)
        journal.gate.set()
        until(lambda: len(sequences(journal)) == 10)


def test_reads_a_fast_device_later_and_loses_nothing() -> None:
    with running(bytes_per_second=200_000, burst_bytes=20_000) as gateway, gateway.client() as client:
        data = b"".join(client.message(reading(n), n) for n in range(1, 401))
        began = time.monotonic()
        client.sock.sendall(data)
        for number in range(1, 401):
            client.expect(0x40, number.to_bytes(2, "big"))
        assert sequences(gateway.journal) == list(range(1, 401))
        # what it reads at once beyond the burst is not yet counted
        assert time.monotonic() - began > (len(data) - 20_000 - METERED) / 200_000


def test_readings_that_cannot_be_trusted_about_time_are_flagged() -> None:
    with running() as gateway, gateway.client() as client:
        for number, ts in enumerate(("2100-01-01T00:00:00Z", "1970-01-01T00:00:12Z", None), 1):
            client.publish(reading(number, ts=ts), number)
            client.expect(0x40)
        readings = [row for frame in frames(gateway.journal) for row in frame.readings]
        assert [int(row["ts"]) for row in readings] == [NOW, NOW, NOW]
        flags = [ReadingFlag(int(row["flags"])) for row in readings]
        assert flags == [ReadingFlag.CLAMPED, ReadingFlag.NO_TIME, ReadingFlag.NO_TIME]


@VERSIONS
@pytest.mark.parametrize("level", ["readings", "status"])
def test_records_a_last_will_as_an_offline_reading(version: int, level: str) -> None:
    with running() as gateway:
        client = gateway.client(version, will=(f"ullage/v1/acme/copier-01/{level}", b"gone"))
        client.sock.close()
        until(lambda: len(frames(gateway.journal)) == 1)
        (frame,) = frames(gateway.journal)
        assert frame.readings["flags"][0] & ReadingFlag.OFFLINE
        assert frame.signals["code"].tolist() == [Signal.OFFLINE]


@VERSIONS
def test_a_take_over_leaves_the_will_of_the_older_connection(version: int) -> None:
    with running() as gateway:
        gateway.client(version, will=("ullage/v1/acme/copier-01/status", b"gone"))
        with gateway.client(version) as new:
            new.publish(reading(1), 1)
            new.expect(0x40, b"\0\1")
        flags = [int(flag) for frame in frames(gateway.journal) for flag in frame.readings["flags"]]
        assert [bool(flag & ReadingFlag.OFFLINE) for flag in flags] == [True, False]


@VERSIONS
def test_a_silent_device_leaves_its_will(version: int) -> None:
    with running() as gateway:
        client = gateway.client(version, keep_alive=1, will=("ullage/v1/acme/copier-01/readings", b"gone"))
        client.closed(0x8D)
        until(lambda: len(frames(gateway.journal)) == 1)
        assert frames(gateway.journal)[0].readings["flags"][0] & ReadingFlag.OFFLINE


@VERSIONS
def test_a_disconnect_makes_the_last_will_void(version: int) -> None:
    with running() as gateway:
        client = gateway.client(version, will=("ullage/v1/acme/copier-01/readings", b"gone"))
        client.sock.sendall(b"\xe0\0")
        client.closed()
        until(lambda: gateway.metric("ullage_gateway_connections") == 0)
    assert records(gateway.journal) == []


def test_mqtt_5_may_ask_for_its_will_when_it_disconnects() -> None:
    with running() as gateway:
        client = gateway.client(5, will=("ullage/v1/acme/copier-01/readings", b"gone"))
        client.sock.sendall(b"\xe0\1\4")
        client.closed()
        until(lambda: len(frames(gateway.journal)) == 1)


@VERSIONS
def test_a_stop_acknowledges_what_is_durable_and_says_so(version: int) -> None:
    journal = MemoryJournal()
    with running(journal) as gateway, gateway.client(version) as client:
        client.publish(reading(1), 1)
        until(lambda: len(sequences(journal)) == 1)
        gateway.stop()
        client.expect(0x40, b"\0\1")
        client.closed(0x8B)


def test_reports_for_how_long_it_listened() -> None:
    with running() as gateway:
        until(lambda: len(gateway.listening) > 1)
        assert all(50 <= ms <= 2_000 for ms in gateway.listening)


def test_a_stop_while_the_journal_is_unavailable_acknowledges_nothing() -> None:
    journal = MemoryJournal()
    with running(journal, stop_within=0.5) as gateway, gateway.client() as client:
        journal.failing = True
        client.publish(reading(1), 1)
        until(lambda: gateway.metric("ullage_gateway_paused") == 1)
        gateway.stop()
        client.closed()
        assert sequences(journal) == []


def test_a_batch_of_nothing_but_what_is_not_kept_completes() -> None:
    with running(refused_per_minute=0) as gateway, gateway.client() as client:
        client.publish(b"x", 1)
        client.expect(0x40, b"\0\1")
        assert records(gateway.journal) == []
