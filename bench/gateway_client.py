"""Load on a gateway with bare sockets and epoll: readings are encoded beforehand, acknowledgements counted by size.

python -m bench.gateway_client PORT CONNECTIONS WINDOW SECONDS -> one JSON line.
"""

import json
import select
import socket
import sys
import time
from collections import deque

RING = 200
"""Messages that a connection repeats."""


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


def _connect(number: int) -> bytes:
    names = _text(device(number)) + _text(account(number)) + _text(token(number))
    return _packet(0x10, _text("MQTT") + bytes((4, 0xC2, 0, 60)) + names)


def _publish(number: int, k: int, identifier: int) -> bytes:
    topic = _text(f"ullage/v1/{account(number)}/{device(number)}/readings")
    return _packet(0x32, topic + identifier.to_bytes(2, "big") + payload(number, k))


class Device:
    """One connection: a ring of encoded packets, sent as far as its window allows."""

    __slots__ = ("acks", "ends", "history", "partial", "ring", "sent", "sock", "unsent")

    def __init__(self, sock: socket.socket, number: int, window: int) -> None:
        packets = [_publish(number, k, k % window + 1) for k in range(RING)]
        self.sock = sock
        self.ends = [0]
        for packet in packets * 2:
            self.ends.append(self.ends[-1] + len(packet))
        self.ring = memoryview(b"".join(packets * 2))
        self.sent = self.acks = self.partial = 0
        self.unsent = b""
        self.history: deque[tuple[int, float]] = deque()

    def send(self, count: int, now: float, epoll: select.epoll) -> None:
        while count:
            start = self.sent % RING
            some = min(count, RING)
            data = self.ring[self.ends[start] : self.ends[start + some]]
            self.sent += some
            count -= some
            self.history.append((self.sent, now))
            if self.unsent:
                self.unsent += bytes(data)
                continue
            try:
                written = self.sock.send(data)
            except BlockingIOError:
                written = 0
            if written < len(data):
                self.unsent = bytes(data[written:])
                epoll.modify(self.sock, select.EPOLLIN | select.EPOLLOUT)

    def flush(self, epoll: select.epoll) -> None:
        self.unsent = self.unsent[self.sock.send(self.unsent) :]
        if not self.unsent:
            epoll.modify(self.sock, select.EPOLLIN)


def load(port: int, connections: int, window: int, seconds: float) -> dict[str, float]:
    """Acknowledged readings/s, latency in ms, after a warm-up of a quarter."""
    clock = time.perf_counter
    began = clock()
    sockets = []
    for number in range(connections):
        sock = socket.create_connection(("127.0.0.1", port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.sendall(_connect(number))
        sockets.append(sock)
    for sock in sockets:
        answer = sock.recv(64)
        assert answer[0] == 0x20
        assert answer[3] == 0, answer
    connected = connections / (clock() - began)
    epoll, devices = select.epoll(), {}
    for number, sock in enumerate(sockets):
        sock.setblocking(False)
        devices[sock.fileno()] = Device(sock, number, window)
        epoll.register(sock, select.EPOLLIN)
    began = clock()
    for one in devices.values():
        one.send(window, clock(), epoll)
    total, latencies = _run(epoll, devices, began + min(1.0, seconds / 4), began + seconds)
    for sock in sockets:
        sock.close()
    latencies.sort()
    return {
        "acks_per_s": round(total),
        "p50_ms": round(latencies[len(latencies) // 2] * 1e3, 1),
        "p99_ms": round(latencies[int(len(latencies) * 0.99)] * 1e3, 1),
        "connects_per_s": round(connected),
        "bytes": len(payload(7, 7)),
    }


def _run(epoll: select.epoll, devices: dict[int, Device], warm: float, stop: float) -> tuple[float, list[float]]:
    clock = time.perf_counter
    total, base, since = 0, 0, 0.0
    latencies: list[float] = []
    while (now := clock()) < stop:
        if not since and now > warm:
            base, since = total, now
            latencies.clear()
        for number, event in epoll.poll(0.5):
            one = devices[number]
            if event & select.EPOLLOUT:
                one.flush(epoll)
            if event & select.EPOLLIN:
                data = one.sock.recv(65536)
                if not data:
                    sys.exit("the gateway closed a connection")
                size = one.partial + len(data)
                one.partial, acks = size & 3, size >> 2
                one.acks += acks
                total += acks
                now = clock()
                while one.history and one.history[0][0] <= one.acks:
                    latencies.append(now - one.history.popleft()[1])
                if acks:
                    one.send(acks, now, epoll)
    return (total - base) / (clock() - since), latencies


if __name__ == "__main__":
    arguments = sys.argv[1:]
    print(json.dumps(load(int(arguments[0]), int(arguments[1]), int(arguments[2]), float(arguments[3]))))
