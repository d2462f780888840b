"""Fields and properties of MQTT 5 (section 2.2.2): which exist, how wide they are, which packet may carry them."""

from ingest.mqtt.codes import Malformed, Reason

Properties = dict[int, int]
"""Identifier -> value. Texts and binary data, for which the gateway has no use, are checked and stand as 0."""

TEXT, BINARY, PAIR, VARINT = -1, -2, -3, -4

_WILL = 0
_CONNECT, _PUBLISH, _PUBACK, _SUBSCRIBE, _UNSUBSCRIBE, _DISCONNECT = 1, 3, 4, 8, 10, 14

_PROPERTIES: dict[int, tuple[int, frozenset[int]]] = {
    0x01: (1, frozenset({_PUBLISH, _WILL})),  # payload format
    0x02: (4, frozenset({_PUBLISH, _WILL})),  # message expiry
    0x03: (TEXT, frozenset({_PUBLISH, _WILL})),  # content type
    0x08: (TEXT, frozenset({_PUBLISH, _WILL})),  # response topic
    0x09: (BINARY, frozenset({_PUBLISH, _WILL})),  # correlation data
    0x0B: (VARINT, frozenset({_SUBSCRIBE})),  # subscription identifier
    0x11: (4, frozenset({_CONNECT, _DISCONNECT})),  # session expiry
    0x15: (TEXT, frozenset({_CONNECT})),  # authentication method
    0x16: (BINARY, frozenset({_CONNECT})),  # authentication data
    0x17: (1, frozenset({_CONNECT})),  # request problem information
    0x18: (4, frozenset({_WILL})),  # will delay
    0x19: (1, frozenset({_CONNECT})),  # request response information
    0x1F: (TEXT, frozenset({_PUBACK, _DISCONNECT})),  # reason string
    0x21: (2, frozenset({_CONNECT})),  # receive maximum
    0x22: (2, frozenset({_CONNECT})),  # topic alias maximum
    0x23: (2, frozenset({_PUBLISH})),  # topic alias
    0x26: (PAIR, frozenset({_CONNECT, _PUBLISH, _WILL, _PUBACK, _SUBSCRIBE, _UNSUBSCRIBE, _DISCONNECT})),  # user
    0x27: (4, frozenset({_CONNECT})),  # maximum packet size
}
_BOOLEANS = frozenset({0x01, 0x17, 0x19})
_WIDTHS = {0x11: 4, 0x21: 2, 0x24: 1, 0x25: 1, 0x27: 4, 0x28: 1, 0x29: 1, 0x2A: 1}
"""What the server sends."""


def read_varint(data: bytes, at: int, *, partial: bool = False) -> tuple[int, int]:
    """A variable byte integer and where it ends; -1 where `data` ends before it and `partial` is allowed."""
    value = shift = 0
    for _ in range(4):
        if at >= len(data):
            if partial:
                return 0, -1
            raise Malformed("packet ends within a length")
        digit = data[at]
        at += 1
        value |= (digit & 127) << shift
        if digit < 128:
            return value, at
        shift += 7
    raise Malformed("a length of more than four bytes")


def read_binary(data: bytes, at: int) -> tuple[bytes, int]:
    end = at + 2
    if end <= len(data):
        end += data[at] << 8 | data[at + 1]
    if end > len(data) or end < at + 2:
        raise Malformed("packet ends within a field")
    return data[at + 2 : end], end


def read_text(data: bytes, at: int) -> tuple[str, int]:
    raw, at = read_binary(data, at)
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise Malformed("a text field is not UTF-8") from None
    if "\0" in text:
        raise Malformed("a text field holds NUL")
    return text, at


def read_properties(data: bytes, at: int, packet: int) -> tuple[Properties, int]:
    """The properties that start at `at` and where they end. `packet`: its type, 0 for those of a will."""
    size, at = read_varint(data, at)
    stop = at + size
    if stop > len(data):
        raise Malformed("packet ends within its properties")
    part = data[:stop]
    found: Properties = {}
    while at < stop:
        key, at = read_varint(part, at)
        known = _PROPERTIES.get(key)
        if known is None or packet not in known[1]:
            raise Malformed(f"property {key:#x} does not belong to packet type {packet}", Reason.PROTOCOL_ERROR)
        if key in found and key != 0x26:
            raise Malformed(f"property {key:#x} comes twice", Reason.PROTOCOL_ERROR)
        found[key], at = _value(part, at, known[0])
        if key in _BOOLEANS and found[key] not in {0, 1}:
            raise Malformed(f"property {key:#x} is neither 0 nor 1", Reason.PROTOCOL_ERROR)
    return found, stop


def _value(data: bytes, at: int, width: int) -> tuple[int, int]:
    if width > 0:
        end = at + width
        if end > len(data):
            raise Malformed("packet ends within a property")
        return int.from_bytes(data[at:end], "big"), end
    if width == VARINT:
        return read_varint(data, at)
    if width == BINARY:
        return 0, read_binary(data, at)[1]
    if width == PAIR:
        at = read_text(data, at)[1]
    return 0, read_text(data, at)[1]


def encode_properties(properties: Properties, reason: str = "") -> bytes:
    """With their length in front; `reason` becomes the reason string, cut to 100 bytes."""
    body = bytearray()
    for key, value in properties.items():
        body.append(key)
        body += value.to_bytes(_WIDTHS[key], "big")
    if reason:
        text = reason.encode()[:100].decode(errors="ignore").encode()
        body += b"\x1f" + len(text).to_bytes(2, "big") + text
    if len(body) > 127:
        raise ValueError(f"properties of {len(body)} bytes: at most 127")
    return bytes((len(body),)) + bytes(body)
