"""What a device is told: its orders and what was wrong with its messages, to itself only."""

import json
import threading
from pathlib import Path

import jsonschema
import paho.mqtt.client as mqtt
import pytest

from ingest.todo import todo
from tests.support.gateway import running, until
from tests.support.mqtt import TOKEN, Client, packet, reading, text

VERSIONS = pytest.mark.parametrize("version", [4, 5])
SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas"
ORDERS, ERRORS = "ullage/v1/acme/copier-01/orders", "ullage/v1/acme/copier-01/errors"


def order(number: int, state: str = "placed") -> dict[str, object]:
    return {"v": 1, "slot": "black", "order": number, "state": state}


def subscribe(client: Client, *filters: tuple[str, int], number: int = 3, properties: bytes | None = None) -> bytes:
    body = number.to_bytes(2, "big") + (client.none if properties is None else properties)
    client.sock.sendall(packet(0x82, body + b"".join(text(name) + bytes((qos,)) for name, qos in filters)))
    answer = client.expect(0x90)
    assert answer[:2] == number.to_bytes(2, "big")
    return answer[3:] if client.version == 5 else answer[2:]


def message(client: Client) -> tuple[str, dict[str, object], bytes]:
    """(topic, JSON, packet id), acknowledged when it asks for it."""
    first, body = client.receive()
    assert first >> 4 == 3, (first, body)
    end = 2 + int.from_bytes(body[:2], "big")
    topic, number = body[2:end].decode(), b""
    if first & 6:
        number, end = body[end : end + 2], end + 2
        client.sock.sendall(b"\x40\x02" + number)
    if client.version == 5:
        assert body[end] == 0
        end += 1
    return topic, json.loads(body[end:]), number


@VERSIONS
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_tells_a_snapshot_then_changes(version: int, qos: int) -> None:
    with running() as gateway, gateway.client(version) as client:
        gateway.downlink.live[1] = [order(1), order(2)]
        assert subscribe(client, (ORDERS, qos)) == bytes((min(qos, 1),))
        assert [message(client)[1] for _ in range(2)] == [order(1), order(2)]
        gateway.downlink.events += [(2, order(9)), (1, order(1, "delivered"))]
        topic, body, number = message(client)
        assert (topic, body, bool(number)) == (ORDERS, order(1, "delivered"), qos > 0)


@VERSIONS
def test_grants_nothing_but_the_device_s_own(version: int) -> None:
    with running() as gateway, gateway.client(version) as client:
        filters = [
            "ullage/v1/acme/copier-02/orders",
            "ullage/v1/acme/+/orders",
            "#",
            "$share/g/" + ORDERS,
            ORDERS + "/#",
        ]
        codes = subscribe(client, *((name, 1) for name in filters), (ERRORS, 0))
        refusals = [0x87, 0xA2, 0xA2, 0x9E, 0xA2] if version == 5 else [0x80] * 5
        assert list(codes) == [*refusals, 0]


def test_subscription_identifiers_are_refused() -> None:
    with running() as gateway, gateway.client(5) as client:
        client.sock.sendall(packet(0x82, b"\0\3\x02\x0b\x01" + text(ORDERS) + b"\1"))
        client.closed(0xA1)


@VERSIONS
def test_unsubscribes(version: int) -> None:
    with running() as gateway, gateway.client(version) as client:
        subscribe(client, (ORDERS, 1))
        client.sock.sendall(packet(0xA2, b"\0\4" + client.none + text(ORDERS) + text("other")))
        assert client.expect(0xB0) == (b"\0\4\0\0\x11" if version == 5 else b"\0\4")
        gateway.downlink.events.append((1, order(1)))
        client.quiet()


@VERSIONS
def test_tells_what_was_wrong(version: int) -> None:
    with running() as gateway, gateway.client(version) as client:
        subscribe(client, (ERRORS, 0))
        client.publish(reading(1, supplies={"black": {"level": 42}}), 1)
        topic, body, _ = message(client)
        assert topic == ERRORS
        assert (body["code"], body["reason"]) == ("level_out_of_range", "supplies.black.level is 42: use 0..1")
        assert body["todo"] == todo("level_out_of_range")
        jsonschema.validate(body, json.loads((SCHEMAS / "errors.json").read_text()))
        client.expect(0x40, b"\0\1")


@VERSIONS
def test_tells_what_the_decision_could_not_use(version: int) -> None:
    with running() as gateway, gateway.client(version) as client:
        subscribe(client, (ERRORS, 1))
        assert gateway.downlink.began.wait(30)
        said = {"v": 1, "ts": 1, "code": "implausible_counter", "reason": "counter 0 jumped"}
        gateway.downlink.refused += [(2, said | {"code": "nul"}), (1, said)]
        topic, body, _ = message(client)
        assert (topic, body) == (ERRORS, said | {"todo": todo("implausible_counter")})
        jsonschema.validate(body, json.loads((SCHEMAS / "errors.json").read_text()))
        client.sock.sendall(packet(0xA2, b"\0\4" + client.none + text(ERRORS)))
        client.expect(0xB0)
        gateway.downlink.refused.append((1, said))
        client.quiet()


def test_keeps_to_the_client_s_window_and_packet_size() -> None:
    with running() as gateway, Client(gateway.port, 5) as client:
        client.connect(properties=b"\x21\0\x02\x27\0\0\0\x80")  # Receive Maximum 2, Maximum Packet Size 128
        gateway.downlink.live[1] = [order(1), order(2, "x" * 200), order(3), order(4)]
        subscribe(client, (ORDERS, 1))
        first = [client.receive()[1] for _ in range(2)]
        client.quiet()
        start = 2 + len(ORDERS)
        client.sock.sendall(b"\x40\x02" + first[0][start : start + 2])
        assert message(client)[1] == order(4)
        assert json.loads(first[1][start + 3 :]) == order(3)  # the one that is too large is left out


def test_a_slow_subscriber_gets_a_new_snapshot() -> None:
    with running(downlink_queue=2, downlink_in_flight=1) as gateway, gateway.client() as client:
        subscribe(client, (ORDERS, 1))
        gateway.downlink.live[1] = [order(100)]
        gateway.downlink.events += [(1, order(n)) for n in range(1, 8)]
        until(lambda: gateway.metric("ullage_gateway_downlink_dropped_total") >= 2)
        seen: list[object] = []
        while 100 not in seen:
            seen.append(message(client)[1]["order"])
        assert len(seen) < 8


@VERSIONS
def test_paho_hears_of_its_orders(version: int) -> None:
    with running() as gateway:
        gateway.downlink.live[1] = [order(5)]
        heard: list[object] = []
        came = threading.Event()
        client = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2, client_id="copier-01", protocol=mqtt.MQTTProtocolVersion(version)
        )

        def on_message(_client: object, _data: object, got: mqtt.MQTTMessage) -> None:
            heard.append((got.topic, json.loads(got.payload), got.qos))
            came.set()

        client.on_message = on_message
        client.on_connect = lambda *_: client.subscribe(ORDERS, qos=1)
        client.username_pw_set("acme", TOKEN.decode())
        client.connect("127.0.0.1", gateway.port)
        client.loop_start()
        assert came.wait(5)
        client.disconnect()
        client.loop_stop()
        assert heard == [(ORDERS, order(5), 1)]
