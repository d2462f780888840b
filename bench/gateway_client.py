"""Load on a gateway with bare sockets and epoll: as light as can be, because it shares the machine with the gateway.

Readings are encoded beforehand and repeat after a while; acknowledgements are counted by their bytes.
python -m bench.gateway_client PORT CONNECTIONS WINDOW SECONDS SERVER_PID -> one JSON line.
"""

import json
import os
import select
import socket
import sys
import time
from pathlib import Path

from bench.gateway_packets import connect, payload, publish

LEAST = 20
"""Messages after which a connection repeats itself, at least."""
WARM_S = 1.0
ACK_BYTES = 4


class Device:
    """One connection: a ring of encoded packets, sent as far as its window allows."""

    __slots__ = ("acks", "at", "ends", "partial", "ring", "sent", "sock", "timed", "timed_at", "unsent")

    def __init__(self, sock: socket.socket, number: int, window: int) -> None:
        count = window * max(2, LEAST // window)
        packets = [publish(number, k, k % window + 1) for k in range(count)]
        self.sock = sock
        self.ends = [0]
        for packet in packets * 2:
            self.ends.append(self.ends[-1] + len(packet))
        self.ring = memoryview(b"".join(packets * 2))
        self.at = 0
        """Which packet of the ring is next."""
        self.sent = self.acks = self.partial = 0
        self.unsent = b""
        self.timed, self.timed_at = 0, 0.0
        """One message at a time is timed: its number, and when it was sent."""

    def send(self, count: int, epoll: select.epoll) -> None:
        """Up to a window of packets."""
        data = self.ring[self.ends[self.at] : self.ends[self.at + count]]
        self.at = (self.at + count) % (len(self.ends) // 2)
        self.sent += count
        if self.unsent:
            self.unsent += bytes(data)
            return
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


def load(port: int, connections: int, window: int, seconds: float, server: int) -> dict[str, float]:
    """Acknowledged readings/s, latency in ms, us of CPU per reading of both sides; after a warm-up."""
    clock = time.perf_counter
    began = clock()
    sockets = _connected(port, connections)
    connected = connections / (clock() - began)
    epoll, devices = select.epoll(), {}
    for number, sock in enumerate(sockets):
        sock.setblocking(False)
        devices[sock.fileno()] = Device(sock, number, window)
        epoll.register(sock, select.EPOLLIN)
    for one in devices.values():
        one.send(window, epoll)
        one.timed, one.timed_at = window, clock()
    _run(epoll, devices, clock() + WARM_S)
    before = time.process_time(), cpu_seconds(server), clock()
    total, latencies = _run(epoll, devices, clock() + seconds)
    own, theirs, elapsed = time.process_time() - before[0], cpu_seconds(server) - before[1], clock() - before[2]
    for sock in sockets:
        sock.close()
    latencies.sort()
    return {
        "acks_per_s": round(total / elapsed),
        "p50_ms": round(latencies[len(latencies) // 2] * 1e3, 1),
        "p99_ms": round(latencies[int(len(latencies) * 0.99)] * 1e3, 1),
        "connects_per_s": round(connected),
        "bytes": len(payload(7, 7)),
        "server_us": round(theirs / total * 1e6, 2),
        "client_us": round(own / total * 1e6, 2),
    }


def cpu_seconds(process: int) -> float:
    """User and system time of a process and all its threads."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _connected(port: int, connections: int) -> list[socket.socket]:
    sockets = []
    for number in range(connections):
        sock = socket.create_connection(("127.0.0.1", port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.sendall(connect(number))
        sockets.append(sock)
    for sock in sockets:
        answer = sock.recv(64)
        assert answer[0] == 0x20
        assert answer[3] == 0, answer
    return sockets


def _run(epoll: select.epoll, devices: dict[int, Device], stop: float) -> tuple[int, list[float]]:
    """Acknowledgements until `stop`, and the latencies of those messages that were timed, in s."""
    clock, buffer = time.perf_counter, bytearray(65536)
    total = 0
    latencies: list[float] = []
    while (now := clock()) < stop:
        for number, event in epoll.poll(0.5):
            one = devices[number]
            if event & select.EPOLLOUT:
                one.flush(epoll)
            if event & select.EPOLLIN:
                came = one.sock.recv_into(buffer)
                if not came:
                    sys.exit("the gateway closed a connection")
                acks, one.partial = divmod(one.partial + came, ACK_BYTES)
                total += acks
                one.acks += acks
                if acks:
                    one.send(acks, epoll)
                if one.acks >= one.timed:
                    now = clock()
                    latencies.append(now - one.timed_at)
                    one.timed, one.timed_at = one.sent, now
    return total, latencies


if __name__ == "__main__":
    arguments = sys.argv[1:]
    found = load(int(arguments[0]), int(arguments[1]), int(arguments[2]), float(arguments[3]), int(arguments[4]))
    print(json.dumps(found))
