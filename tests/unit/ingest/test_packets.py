"""The quick scan against the packets, and the packets against any bytes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.mqtt import packets
from ingest.mqtt.codes import Malformed, Reason
from ingest.mqtt.packets import Connect, Decoder, Publish
from ingest.mqtt.properties import encode_properties, read_properties
from ingest.mqtt.scan import scan, whole

TOPIC = b"ullage/v1/a/d/readings"
FIELD = len(TOPIC).to_bytes(2, "big") + TOPIC
MAXIMUM = 4_000


def publish(version: int, size: int, qos: int, number: int, flags: int, topic: bytes, properties: bytes) -> bytes:
    data = packets.publish(version, topic, properties + b"x" * size, qos, number)
    return bytes((data[0] | flags,)) + data[1:]


PIECES = st.one_of(
    st.builds(
        publish,
        st.sampled_from([4, 5]),
        st.sampled_from([0, 1, 90, 100, 127, 128, 3_000, 20_000]),
        st.sampled_from([1, 1, 1, 0]),
        st.integers(0, 65535),
        st.sampled_from([0, 0, 0, 1, 8]),
        st.sampled_from([TOPIC, TOPIC, TOPIC, b"ullage/v1/a/d/readingz", b"", TOPIC + b"x"]),
        st.sampled_from([b"", b"", b"\x02\x01\x01"]),
    ),
    st.sampled_from([b"\xc0\0", b"\xe0\0", b"\x40\x02\0\1"]),
    st.binary(max_size=8),
)


def by_packets(data: bytes, version: int, limit: int) -> tuple[list[bytes], bytes, int]:
    """What the scan may take, packet by packet."""
    decoder = Decoder(MAXIMUM, version)
    decoder.feed(data)
    payloads, acks, at = [], b"", 0
    while len(payloads) < limit:
        try:
            packet = decoder.next()
        except Malformed:
            break
        plain = isinstance(packet, Publish) and packet.topic == TOPIC and packet.qos == 1
        if not plain or packet.retain:  # type: ignore[union-attr]
            break
        payloads.append(packet.payload)  # type: ignore[union-attr]
        acks += packets.puback(packet.id)  # type: ignore[union-attr]
        at = len(data) - decoder.pending
    return payloads, acks, at


@settings(max_examples=150, deadline=None)
@given(st.lists(PIECES, max_size=6), st.integers(0, 12), st.sampled_from([4, 5]), st.integers(0, 4))
def test_the_scan_takes_exactly_what_the_packets_say(pieces: list[bytes], cut: int, version: int, limit: int) -> None:
    data = b"".join(pieces)
    data = data[: len(data) - cut]
    payloads, acks, at = scan(data, 0, FIELD, version == 5, limit, MAXIMUM)
    expected = by_packets(data, version, limit)
    # the scan may stop early (properties), but never takes more or other than the packets
    assert payloads == expected[0][: len(payloads)]
    assert acks == expected[1][: len(acks)]
    assert at <= expected[2]
    if version == 4:
        assert at == expected[2]


@settings(max_examples=200, deadline=None)
@given(PIECES, st.binary(max_size=1), st.sampled_from([4, 5]))
def test_a_whole_packet_is_what_the_scan_takes(piece: bytes, more: bytes, version: int) -> None:
    data = piece + more
    at = whole(data, FIELD, version == 5, MAXIMUM)
    if at:
        number = at - (3 if version == 5 else 2)
        taken = [data[at:]], b"@\x02" + data[number : number + 2], len(data)
        assert scan(data, 0, FIELD, version == 5, 1, MAXIMUM) == taken


@pytest.mark.parametrize("version", [4, 5])
@pytest.mark.parametrize("size", [128, 250, 3_000])
def test_a_usual_packet_is_whole(version: int, size: int) -> None:
    data = packets.publish(version, TOPIC, b"x" * size, 1, 7)
    assert data[whole(data, FIELD, version == 5, MAXIMUM) :] == b"x" * size
    assert whole(data, FIELD, version == 5, len(data) - 1) == 0
    assert whole(data + b"x", FIELD, version == 5, MAXIMUM) == 0


@settings(max_examples=150, deadline=None)
@given(st.lists(PIECES | st.binary(max_size=40), max_size=4), st.sampled_from([4, 5]), st.integers(1, 50))
def test_any_bytes_are_packets_or_malformed_however_they_are_cut(data: list[bytes], version: int, step: int) -> None:
    whole = b"".join(data)

    def run(step: int) -> list[object]:
        decoder, found = Decoder(MAXIMUM, version), []
        try:
            for at in range(0, len(whole), step):
                decoder.feed(whole[at : at + step])
                while (packet := decoder.next()) is not None:
                    found.append(packet)
        except Malformed as error:
            found.append(error.reason)
        return found

    assert run(step) == run(max(1, len(whole)))


def sound_or_malformed(first: int, body: bytes, version: int) -> bool:
    """Any other exception ends the test."""
    try:
        return packets.parse(first, body, version) is not None
    except Malformed:
        return True


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 255), st.binary(max_size=60), st.sampled_from([4, 5]))
def test_any_body_is_a_packet_or_malformed(first: int, body: bytes, version: int) -> None:
    assert sound_or_malformed(first, body, version)


CONNECT = b"\0\4MQTT\5\xce\0\x3c" + b"\x05\x11\0\0\0\x0a" + b"\0\3dev" + b"\0" + b"\0\1t\0\1p" + b"\0\1u\0\1p"


def test_connect_with_everything() -> None:
    packet = packets.parse(0x10, CONNECT, 4)
    assert isinstance(packet, Connect)
    assert packet.client == "dev"
    assert packet.will == packets.Will("t", b"p", 1, False)
    assert (packet.user, packet.password, packet.keep_alive, packet.session_expiry) == ("u", b"p", 60, 10)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(CONNECT) - 1), st.binary(min_size=1, max_size=3))
def test_a_damaged_connect_is_a_packet_or_malformed(at: int, junk: bytes) -> None:
    assert sound_or_malformed(0x10, CONNECT[:at] + junk + CONNECT[at + len(junk) :], 4)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"\0\4MQTT\3\2\0\0\0\1d", Reason.UNSUPPORTED_VERSION),
        (b"\0\4MQTT\4\3\0\0\0\1d", Reason.MALFORMED),  # the reserved flag
        (b"\0\4MQTT\4\x40\0\0\0\1d\0\1p", Reason.MALFORMED),  # a password without a user name
        (b"\0\4MQTT\5\2\0\0\x06\x21\0\1\x21\0\1\0\1d", Reason.PROTOCOL_ERROR),  # twice
        (b"\0\4MQTT\5\2\0\0\x03\x21\0\0\0\1d", Reason.PROTOCOL_ERROR),  # Receive Maximum 0
        (b"\0\4MQTT\5\2\0\0\x03\x23\0\1\0\1d", Reason.PROTOCOL_ERROR),  # Topic Alias in CONNECT
        (b"\0\4MQTT\4\2\0\0\0\1\xff", Reason.MALFORMED),
        (b"\0\4MQTT\4\2\0\0\0\1\0", Reason.MALFORMED),
        (b"\0\4MQTT\4\2\0\0\0\1dx", Reason.MALFORMED),
    ],
)
def test_a_wrong_connect_is_refused(body: bytes, reason: Reason) -> None:
    with pytest.raises(Malformed) as caught:
        packets.parse(0x10, body, 4)
    assert caught.value.reason is reason


def test_a_packet_that_says_it_is_too_long_is_refused_before_it_has_come() -> None:
    decoder = Decoder(MAXIMUM)
    decoder.feed(b"\x30\xa0\x1f")
    with pytest.raises(Malformed) as caught:
        decoder.next()
    assert caught.value.reason is Reason.TOO_LARGE


def test_properties_survive_the_way_there_and_back() -> None:
    data = encode_properties({0x11: 7, 0x21: 500})
    assert read_properties(data, 0, packets.CONNECT) == ({0x11: 7, 0x21: 500}, len(data))
    assert len(encode_properties({}, "ü" * 500)) < 128
