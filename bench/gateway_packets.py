"""What the devices of the gateway's bench are called and send, as bytes."""

import json


def account(number: int) -> str:
    return f"acct{number % 12:02d}"


def device(number: int) -> str:
    return f"dev{number:05d}"


def token(number: int) -> str:
    return f"token-{number:05d}-abcdefghijklmnopqrstuvwxyz01234"


def payload(number: int, k: int) -> bytes:
    """About 250 bytes: two supplies, one counter."""
    return json.dumps(
        {
            "v": 1,
            "account": account(number),
            "device": device(number),
            "ts": f"2026-11-21T09:{k // 60 % 60:02d}:{k % 60:02d}.{number % 1000:03d}Z",
            "boot": f"a81f03c2d94e{number % 65536:04x}",
            "seq": 1000 + k,
            "supplies": {
                "toner.black": {"level": round(0.42 + k % 50 / 100, 2)},
                "beans.hopper_1": {"level": [0.1, round(0.25 + k % 9 / 100, 2)]},
            },
            "counters": {"pages.total": 182341 + k},
        }
    ).encode()


def connect(number: int) -> bytes:
    names = _text(device(number)) + _text(account(number)) + _text(token(number))
    return _packet(0x10, _text("MQTT") + bytes((4, 0xC2, 0, 60)) + names)


def publish(number: int, k: int, identifier: int) -> bytes:
    topic = _text(f"ullage/v1/{account(number)}/{device(number)}/readings")
    return _packet(0x32, topic + identifier.to_bytes(2, "big") + payload(number, k))


def _text(value: str) -> bytes:
    raw = value.encode()
    return len(raw).to_bytes(2, "big") + raw


def _packet(first: int, body: bytes) -> bytes:
    size, head = len(body), bytearray((first,))
    while True:
        digit, size = size & 127, size >> 7
        head.append(digit | (128 if size else 0))
        if not size:
            return bytes(head) + body
