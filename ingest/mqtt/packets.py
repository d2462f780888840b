"""Packets of MQTT 3.1.1 and 5 as values: parse what a client may send, encode what a server may send.

Source: OASIS mqtt-v3.1.1-os and mqtt-v5.0-os. Parsing raises `Malformed` and nothing else, whatever the bytes are.
"""

from typing import NamedTuple

from ingest.mqtt.codes import OLD_CONNACK, Malformed, Reason
from ingest.mqtt.properties import Properties, encode_properties, read_binary, read_properties, read_text, read_varint

CONNECT, CONNACK, PUBLISH, PUBACK = 1, 2, 3, 4
SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK = 8, 9, 10, 11
PINGREQ, PINGRESP, DISCONNECT, AUTH = 12, 13, 14, 15

PINGRESP_PACKET = b"\xd0\x00"
NO_PROPERTIES: Properties = {}


class Will(NamedTuple):
    topic: str
    payload: bytes
    qos: int
    retain: bool


class Connect(NamedTuple):
    version: int  # 4: MQTT 3.1.1, 5: MQTT 5
    client: str
    user: str
    password: bytes
    keep_alive: int  # s, 0: none
    clean: bool
    will: Will | None
    receive_maximum: int = 65535
    maximum_packet: int = 0  # bytes, 0: no bound
    session_expiry: int = 0  # s
    authentication_method: bool = False


class Publish(NamedTuple):
    topic: bytes  # not yet decoded: it is compared with the device's own
    payload: bytes
    qos: int
    id: int  # 0 with QoS 0
    retain: bool = False
    dup: bool = False
    alias: int | None = None


class Puback(NamedTuple):
    id: int


class Subscribe(NamedTuple):
    id: int
    filters: tuple[tuple[str, int], ...]  # (topic filter, QoS)
    subscription_id: bool = False


class Unsubscribe(NamedTuple):
    id: int
    filters: tuple[str, ...]


class Pingreq(NamedTuple):
    pass


class Disconnect(NamedTuple):
    reason: int = 0


Packet = Connect | Publish | Puback | Subscribe | Unsubscribe | Pingreq | Disconnect


def parse(first: int, body: bytes, version: int) -> Packet:
    """One packet from its first byte and what follows the remaining length."""
    kind, flags = first >> 4, first & 15
    if kind == PUBLISH:
        return _publish(flags, body, version)
    if flags != (2 if kind in {SUBSCRIBE, UNSUBSCRIBE} else 0):
        raise Malformed(f"packet type {kind} with flags {flags}")
    if kind == PUBACK:
        return _puback(body, version)
    if kind == PINGREQ:
        if body:
            raise Malformed("a PINGREQ with a body")
        return Pingreq()
    if kind == SUBSCRIBE:
        return _subscribe(body, version)
    if kind == UNSUBSCRIBE:
        return _unsubscribe(body, version)
    if kind == DISCONNECT:
        return _disconnect(body, version)
    if kind == CONNECT:
        return _connect(body)
    raise Malformed(f"a client does not send packets of type {kind}", Reason.PROTOCOL_ERROR)


def _connect(body: bytes) -> Connect:
    name, at = read_text(body, 0)
    if name != "MQTT" or len(body) < at + 4:
        raise Malformed("not an MQTT 3.1.1 or 5 CONNECT", Reason.UNSUPPORTED_VERSION)
    version, flags = body[at], body[at + 1]
    if version not in {4, 5}:
        raise Malformed(f"protocol version {version}: use MQTT 3.1.1 or 5", Reason.UNSUPPORTED_VERSION)
    keep_alive = int.from_bytes(body[at + 2 : at + 4], "big")
    at += 4
    will_qos = flags >> 3 & 3
    if flags & 1 or will_qos == 3 or (not flags & 4 and flags & 0x38):
        raise Malformed(f"CONNECT flags {flags:#x}")
    properties = NO_PROPERTIES
    if version == 5:
        properties, at = read_properties(body, at, CONNECT)
    elif flags & 0x40 and not flags & 0x80:
        raise Malformed("a password without a user name")
    client, at = read_text(body, at)
    will = None
    if flags & 4:
        if version == 5:
            _, at = read_properties(body, at, 0)
        topic, at = read_text(body, at)
        payload, at = read_binary(body, at)
        will = Will(topic, payload, will_qos, bool(flags & 0x20))
    user, password = "", b""
    if flags & 0x80:
        user, at = read_text(body, at)
    if flags & 0x40:
        password, at = read_binary(body, at)
    if at != len(body):
        raise Malformed("CONNECT is longer than its fields")
    receive = properties.get(0x21, 65535)
    maximum = properties.get(0x27, 0)
    if receive == 0 or (0x27 in properties and maximum == 0):
        raise Malformed("Receive Maximum or Maximum Packet Size is 0", Reason.PROTOCOL_ERROR)
    expiry = properties.get(0x11, 0)
    return Connect(
        version,
        client,
        user,
        password,
        keep_alive,
        bool(flags & 2),
        will,
        receive,
        maximum,
        expiry,
        0x15 in properties,
    )


def _publish(flags: int, body: bytes, version: int) -> Publish:
    qos = flags >> 1 & 3
    if qos == 3 or (qos == 0 and flags & 8):
        raise Malformed(f"PUBLISH flags {flags:#x}")
    topic, at = read_binary(body, 0)
    number = 0
    if qos:
        number, at = _packet_id(body, at)
    alias = None
    if version == 5:
        if at < len(body) and body[at] == 0:
            at += 1
        else:
            properties, at = read_properties(body, at, PUBLISH)
            alias = properties.get(0x23)
    if not topic and alias is None:
        raise Malformed("PUBLISH without a topic", Reason.PROTOCOL_ERROR)
    return Publish(topic, body[at:], qos, number, bool(flags & 1), bool(flags & 8), alias)


def _packet_id(body: bytes, at: int) -> tuple[int, int]:
    if at + 2 > len(body):
        raise Malformed("packet ends before its identifier")
    number = body[at] << 8 | body[at + 1]
    if not number:
        raise Malformed("packet identifier 0", Reason.PROTOCOL_ERROR)
    return number, at + 2


def _puback(body: bytes, version: int) -> Puback:
    number, at = _packet_id(body, 0)
    if version == 5 and at < len(body):
        at += 1
        if at < len(body):
            _, at = read_properties(body, at, PUBACK)
    if at != len(body):
        raise Malformed("PUBACK is longer than its fields")
    return Puback(number)


def _subscribe(body: bytes, version: int) -> Subscribe:
    number, at = _packet_id(body, 0)
    properties = NO_PROPERTIES
    if version == 5:
        properties, at = read_properties(body, at, SUBSCRIBE)
    filters: list[tuple[str, int]] = []
    while at < len(body):
        name, at = read_text(body, at)
        if at >= len(body):
            raise Malformed("SUBSCRIBE ends before the options of a filter")
        options = body[at]
        at += 1
        unused = 0xFC if version == 4 else 0xC0
        if options & unused or options & 3 == 3 or options & 0x30 == 0x30:
            raise Malformed(f"subscription options {options:#x}", Reason.PROTOCOL_ERROR)
        filters.append((name, options & 3))
    if not filters:
        raise Malformed("SUBSCRIBE without a filter", Reason.PROTOCOL_ERROR)
    return Subscribe(number, tuple(filters), 0x0B in properties)


def _unsubscribe(body: bytes, version: int) -> Unsubscribe:
    number, at = _packet_id(body, 0)
    if version == 5:
        _, at = read_properties(body, at, UNSUBSCRIBE)
    filters: list[str] = []
    while at < len(body):
        name, at = read_text(body, at)
        filters.append(name)
    if not filters:
        raise Malformed("UNSUBSCRIBE without a filter", Reason.PROTOCOL_ERROR)
    return Unsubscribe(number, tuple(filters))


def _disconnect(body: bytes, version: int) -> Disconnect:
    if not body:
        return Disconnect()
    if version == 4:
        raise Malformed("a DISCONNECT with a body")
    if len(body) > 1:
        _, at = read_properties(body, 1, DISCONNECT)
        if at != len(body):
            raise Malformed("DISCONNECT is longer than its fields")
    return Disconnect(body[0])


class Decoder:
    """Bytes in whatever pieces they come, packets out; keeps the unfinished rest.

    `maximum` bounds the whole packet; one that says it is longer is refused before it has come.
    """

    __slots__ = ("_at", "_data", "maximum", "pending", "version")

    def __init__(self, maximum: int, version: int = 4) -> None:
        self.maximum = maximum
        self.version = version
        self._data = b""
        self._at = 0
        self.pending = 0
        """Bytes that wait for `next`. An attribute: it is asked at every read."""

    def feed(self, data: bytes) -> None:
        self._data = self._data[self._at :] + data if self.pending else data
        self._at = 0
        self.pending = len(self._data)

    def take(self) -> bytes:
        """All bytes that wait, for a reader that knows better; what it leaves goes back by `feed`."""
        data = self._data[self._at :]
        self._data, self._at, self.pending = b"", 0, 0
        return data

    def next(self) -> Packet | None:
        """The next whole packet, None when more bytes are needed."""
        data, start = self._data, self._at
        if len(data) - start < 2:
            return None
        size, at = read_varint(data, start + 1, partial=True)
        if at < 0:
            return None
        end = at + size
        if end - start > self.maximum:
            raise Malformed(f"a packet of {end - start} bytes: at most {self.maximum}", Reason.TOO_LARGE)
        if end > len(data):
            return None
        self._at = end
        self.pending = len(data) - end
        packet = parse(data[start], data[at:end], self.version)
        if isinstance(packet, Connect):
            self.version = packet.version
        return packet


def _packet(first: int, body: bytes) -> bytes:
    size = len(body)
    head = bytearray((first,))
    while True:
        digit = size & 127
        size >>= 7
        head.append(digit | (128 if size else 0))
        if not size:
            return bytes(head) + body


def connack(version: int, reason: Reason, properties: Properties = NO_PROPERTIES) -> bytes:
    if version == 5:
        return _packet(CONNACK << 4, bytes((0, reason)) + encode_properties(properties))
    return _packet(CONNACK << 4, bytes((0, OLD_CONNACK.get(reason, 5))))


def puback(number: int, reason: Reason = Reason.SUCCESS) -> bytes:
    """The short form for success, which both versions have; with a reason only for MQTT 5."""
    if reason:
        return b"\x40\x03" + number.to_bytes(2, "big") + bytes((reason,))
    return b"\x40\x02" + number.to_bytes(2, "big")


def suback(version: int, number: int, codes: list[int]) -> bytes:
    return _packet(SUBACK << 4, number.to_bytes(2, "big") + (b"\0" if version == 5 else b"") + bytes(codes))


def unsuback(version: int, number: int, codes: list[int]) -> bytes:
    body = number.to_bytes(2, "big")
    return _packet(UNSUBACK << 4, body + b"\0" + bytes(codes) if version == 5 else body)


def publish(version: int, topic: bytes, payload: bytes, qos: int = 0, number: int = 0) -> bytes:
    head = len(topic).to_bytes(2, "big") + topic + (number.to_bytes(2, "big") if qos else b"")
    return _packet(PUBLISH << 4 | qos << 1, head + (b"\0" if version == 5 else b"") + payload)


def disconnect(reason: Reason, text: str = "") -> bytes:
    """MQTT 5 only: a 3.1.1 server just closes."""
    return _packet(DISCONNECT << 4, bytes((reason,)) + encode_properties(NO_PROPERTIES, text))
