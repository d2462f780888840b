"""All devices' MQTT connections on one event loop: a paho client each, driven through its external-loop calls.

A reading leaves its machine's queue when it is sent and is gone when its PUBACK is on record; a lost connection puts
what was in flight back at the head of the queue. Each connection is a new paho client with a clean session, because
store and forward is the world's, not paho's. Each leaves a last will: what dies without a DISCONNECT (a network loss, a
reboot) is told by the broker, not by the device.
"""

import asyncio
import random
import socket
import ssl
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from devices_sim.chance import unit
from devices_sim.errors import BadScenario
from devices_sim.truth import Reading
from devices_sim.world.world import Machine, World

if TYPE_CHECKING:
    from paho.mqtt.client import SocketLike

WINDOW = 20
KEEP_ALIVE = 60
CONNECT_PATIENCE = 15.0
FIRST_DELAY, LAST_DELAY = 0.25, 20.0
CONNECTS_AT_ONCE = 32
LOOK_EVERY = 5.0
"""Keep-alive is a minute: looking at a thousand quiet connections more often only costs."""
WILL = b'{"v":1,"signals":["offline"]}'


@dataclass(frozen=True, slots=True)
class Broker:
    host: str
    port: int
    tls: ssl.SSLContext | None = None

    @classmethod
    def parse(cls, url: str, ca: str | None = None) -> "Broker":
        """mqtt://host[:1883] or mqtts://host[:8883]; `ca`: file of the certificate authority."""
        parts = urlsplit(url)
        if parts.scheme not in {"mqtt", "mqtts"} or not parts.hostname:
            raise BadScenario(f"--broker {url}: write mqtt://HOST:PORT or mqtts://HOST:PORT")
        if parts.scheme == "mqtt":
            return cls(parts.hostname, parts.port or 1883)
        return cls(parts.hostname, parts.port or 8883, ssl.create_default_context(cafile=ca))


@dataclass(slots=True)
class Link:
    """One device's connection."""

    machine: Machine
    token: str
    five: bool
    client: Client | None = None
    busy: bool = False  # being connected in a thread
    up: bool = False
    boots: int = 0  # the machine's, when the connection began: it does not outlive a reboot
    writing: bool = False  # waits until its socket takes more
    since: float = 0.0
    looked_at: float = 0.0
    retry_at: float = 0.0
    delay: float = FIRST_DELAY
    window: int = WINDOW
    inflight: dict[int, Reading] = field(default_factory=dict)
    acked: list[Reading] = field(default_factory=list)
    refused: list[Reading] = field(default_factory=list)

    @property
    def topic(self) -> str:
        device = self.machine.device
        return f"ullage/v1/{device.site.account}/{device.name}"


def _decrypted(client: Client) -> int:
    """Bytes that TLS has read from the socket and paho has not: no readiness of the socket tells of them."""
    sock = client.socket()
    return sock.pending() if isinstance(sock, ssl.SSLSocket) else 0


class Links:
    """Connects, publishes, takes PUBACKs, reconnects with jitter. All calls are made on the event loop's thread."""

    def __init__(self, world: World, broker: Broker, tokens: dict[tuple[str, str], tuple[int, str]]) -> None:
        self.world, self.broker = world, broker
        seed = world.plan.scenario.seed
        self.links = [
            Link(m, tokens[m.device.site.account, m.device.name][1], unit(seed, "version", m.device.name) < 0.4)
            for m in world.machines
        ]
        self.connects = 0
        self.told_errors = 0
        self.told_orders = 0
        self.problems: dict[str, int] = {}
        self.closing = False
        self._loop = asyncio.get_running_loop()
        self._threads = ThreadPoolExecutor(CONNECTS_AT_ONCE, thread_name_prefix="connect")
        self._free = CONNECTS_AT_ONCE
        self._waiting: deque[Link] = deque()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def connected(self) -> int:
        return sum(link.up for link in self.links)

    def waiting(self) -> int:
        """Readings of connected or connectable devices that are not acknowledged yet."""
        online = (link for link in self.links if self.world.online(link.machine.device.index))
        return sum(len(link.inflight) + len(link.machine.queue) for link in online)

    def in_flight(self) -> int:
        return sum(len(link.inflight) for link in self.links)

    def maintain(self, now: float) -> None:
        """Once per second or more often: keep-alives, time-outs, network losses, reconnects. `now`: loop time."""
        for link in self.links:
            if link.client is None:
                if self._wanted(link) and not link.busy and link.retry_at <= now:
                    link.busy = True
                    self._waiting.append(link)
            elif self._dies(link) or (not link.up and now - link.since > CONNECT_PATIENCE):
                self._cut(link)
            elif link.looked_at + LOOK_EVERY < now:
                link.looked_at = now
                link.client.loop_misc()
                self.pump(link)
        self._connect_some()

    def _wanted(self, link: Link) -> bool:
        return self.world.online(link.machine.device.index) and not self.closing

    def _dies(self, link: Link) -> bool:
        """Its network is lost or its device has started again: the connection ends in the middle, without a word."""
        return not self._wanted(link) or link.boots != link.machine.state.boots

    def _connect_some(self) -> None:
        while self._waiting and self._free and not self.closing:
            self._free -= 1
            task = self._loop.create_task(self._connect(self._waiting.popleft()))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _connect(self, link: Link) -> None:
        client, link.boots = self._client(link), link.machine.state.boots
        connect = partial(client.connect, self.broker.host, self.broker.port, KEEP_ALIVE)
        try:
            await self._loop.run_in_executor(self._threads, connect)
        except OSError as error:
            self._problem(f"connect: {error.strerror or error}")
            self._later(link)
        else:
            sock = client.socket()
            if sock is not None:
                link.client, link.since = client, self._loop.time()
                self._loop.add_reader(sock, self._readable, link)
                self._flush(link)
        finally:
            link.busy = False
            self._free += 1
        self._connect_some()

    def _client(self, link: Link) -> Client:
        version = MQTTProtocolVersion.MQTTv5 if link.five else MQTTProtocolVersion.MQTTv311
        device = link.machine.device
        client = Client(CallbackAPIVersion.VERSION2, device.name, protocol=version, userdata=link)
        client.username_pw_set(device.site.account, link.token)
        client.will_set(f"{link.topic}/status", WILL, qos=1)
        client.max_inflight_messages_set(0)
        if self.broker.tls:
            client.tls_set_context(self.broker.tls)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_message = self._on_message
        client.on_socket_close = self._on_socket_close
        return client

    # what the socket says
    def _readable(self, link: Link) -> None:
        if link.client is None:
            return
        link.client.loop_read()
        while link.client is not None and self.broker.tls and _decrypted(link.client):
            link.client.loop_read()
        for reading in link.acked:
            self.world.acknowledged(reading)
        for reading in link.refused:
            self.world.refused(reading)
        link.acked.clear()
        link.refused.clear()
        self.pump(link)

    def _writable(self, link: Link) -> None:
        if link.client is not None:
            link.client.loop_write()
            self._flush(link)

    def _flush(self, link: Link) -> None:
        client = link.client
        if client is None:
            return
        if client.want_write():
            client.loop_write()
        sock = client.socket()
        if sock is None:
            return
        if client.want_write() != link.writing:
            link.writing = not link.writing
            if link.writing:
                self._loop.add_writer(sock, self._writable, link)
            else:
                self._loop.remove_writer(sock)

    def pump(self, link: Link) -> None:
        """Publish from the machine's queue as far as the window goes."""
        client, queue = link.client, link.machine.queue
        if client is None or not link.up or self._dies(link):
            return
        backlog = link.machine.state.newest_first and len(queue) > link.window
        while queue and len(link.inflight) < link.window:
            reading = queue.pop() if backlog else queue.popleft()
            info = client.publish(f"{link.topic}/readings", reading.payload, qos=1)
            if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS or not link.up:
                queue.appendleft(reading)
                break
            link.inflight[info.mid] = reading
            self.world.counts.sent += 1
        self._flush(link)

    def intrude(self, link: Link) -> None:
        """What a hostile device tries: another device's topic, at QoS 0 because nobody should acknowledge it."""
        if link.client is not None and link.up:
            link.client.publish(f"ullage/v1/{link.machine.device.site.account}/somebody-else/readings", b"{}", qos=0)
            self._flush(link)

    # callbacks of paho, all inside loop_read, loop_write or loop_misc
    def _on_connect(
        self, client: Client, link: Link, _: ConnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        if reason.is_failure:
            self._problem(f"refused: {reason}")
            return
        link.up, link.delay = True, FIRST_DELAY
        most = getattr(properties, "ReceiveMaximum", WINDOW) if properties else WINDOW
        link.window = min(WINDOW, most)
        self.connects += 1
        client.subscribe([(f"{link.topic}/orders", 1), (f"{link.topic}/errors", 1)])

    def _on_disconnect(
        self, _client: Client, link: Link, _flags: DisconnectFlags, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        # one that was never up has been counted as refused
        self.world.counts.deaths += link.up and not self.closing
        if link.up and not self._dies(link):
            self._problem(f"disconnected: {reason}")
        self._lost(link)

    def _on_publish(self, _client: Client, link: Link, mid: int, reason: ReasonCode, _properties: Properties) -> None:
        reading = link.inflight.pop(mid, None)
        if reading is None:
            return
        if reason.is_failure:
            self._problem(f"PUBACK: {reason}")
            link.refused.append(reading)
        else:
            link.acked.append(reading)

    def _on_message(self, _client: Client, _link: Link, message: MQTTMessage) -> None:
        if message.topic.endswith("/errors"):
            self.told_errors += 1
        else:
            self.told_orders += 1

    def _on_socket_close(self, _client: Client, _link: Link, sock: "SocketLike") -> None:
        self._loop.remove_reader(sock)
        self._loop.remove_writer(sock)

    # the end of a connection
    def _lost(self, link: Link) -> None:
        link.client, link.up, link.writing = None, False, False
        link.machine.queue.extendleft(reversed(link.inflight.values()))
        link.inflight.clear()
        self._later(link)

    def _later(self, link: Link) -> None:
        link.retry_at = self._loop.time() + link.delay * random.uniform(0.5, 1.5)
        link.delay = min(link.delay * 2, LAST_DELAY)

    def _cut(self, link: Link) -> None:
        """End a connection without a word, as a network loss does."""
        sock = link.client.socket() if link.client else None
        if isinstance(sock, socket.socket):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError as error:
                self._problem(f"cut: {error.strerror}")

    def _problem(self, what: str) -> None:
        self.problems[what] = self.problems.get(what, 0) + 1

    async def close(self) -> None:
        """Send DISCONNECT everywhere and end the threads."""
        self.closing = True
        self._waiting.clear()
        if self._tasks:
            await asyncio.wait(self._tasks)
        for link in self.links:
            if link.client is not None:
                link.client.disconnect()
                self._flush(link)
        for link in self.links:
            self._cut(link)
        await asyncio.sleep(0)
        for link in self.links:
            if link.client is not None:
                link.client.loop_read()
        self._threads.shutdown(wait=False)
