"""What the gateway tells a device: its orders (a snapshot, then changes) and what was wrong with its messages.

There are no persistent sessions: after a reconnect the snapshot says all. A subscriber that is too slow loses what
waits and gets a new snapshot, so that memory is bounded and nothing stays wrong.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

import msgspec
import structlog

from ingest.directory import wait
from ingest.metrics import GatewayMetrics
from ingest.mqtt.packets import publish
from models.stores import Unavailable

log = structlog.get_logger()
encode = msgspec.json.Encoder().encode

Message = dict[str, Any]


class DownlinkSource(Protocol):
    """What the gateway needs of the ledger's events. Calls may block; the gateway makes them in a thread."""

    def snapshot(self, device_id: int) -> list[Message]:
        """The device's live orders, as docs/schemas/orders.json. Raises Unavailable."""

    def changes(self, since_event_id: int) -> tuple[int, list[tuple[int, Message]]]:
        """(last event id, [(device id, message)]) of the events above `since_event_id`; below 0: the last id only.

        A message may repeat what a snapshot said. Raises Unavailable."""

    def refusals(self, since_event_id: int) -> tuple[int, list[tuple[int, Message]]]:
        """The same of what the device said and the decision could not use, as docs/schemas/errors.json but for `todo`.
        What the gateway has refused is not among it. Raises Unavailable."""


class Outgoing:
    """PUBLISH packets to one connection: identifiers, the client's window and packet bound, a bounded queue."""

    def __init__(
        self,
        version: int,
        window: int,
        maximum: int,
        bound: int,
        write: Callable[[bytes], None],
        metrics: GatewayMetrics,
    ) -> None:
        self._version = version
        self._window = window
        self._maximum = maximum
        self._bound = bound
        self._write = write
        self._metrics = metrics
        self._unacked: set[int] = set()
        self._last = 0
        self._queue: deque[tuple[bytes, bytes]] = deque()

    def send(self, topic: bytes, payload: bytes, qos: int) -> bool:
        """False: too much waits already, it was dropped."""
        if qos == 0:
            self._put(publish(self._version, topic, payload))
            return True
        if len(self._queue) >= self._bound:
            self._metrics.downlink_dropped.inc()
            return False
        self._queue.append((topic, payload))
        self._drain()
        return True

    def acknowledged(self, number: int) -> None:
        self._unacked.discard(number)
        self._drain()

    @property
    def idle(self) -> bool:
        return not self._queue

    def clear(self) -> None:
        self._metrics.downlink_dropped.inc(len(self._queue))
        self._queue.clear()

    def _drain(self) -> None:
        while self._queue and len(self._unacked) < self._window:
            topic, payload = self._queue.popleft()
            number = self._last % 65535 + 1
            while number in self._unacked:
                number = number % 65535 + 1
            self._last = number
            if self._put(publish(self._version, topic, payload, 1, number)):
                self._unacked.add(number)

    def _put(self, packet: bytes) -> bool:
        if self._maximum and len(packet) > self._maximum:
            self._metrics.downlink_dropped.inc()  # the protocol: as if it had been sent
            return False
        self._write(packet)
        return True


class Subscriber(Protocol):
    """A connection that subscribed to its orders."""

    @property
    def device_id(self) -> int: ...

    def tell_orders(self, message: Message) -> bool:
        """False: it is too slow and needs a new snapshot later."""

    def tell_refusal(self, message: Message) -> None: ...

    @property
    def drained(self) -> bool: ...


class Downlink:
    """Polls the source and feeds the subscribers; all in the event loop but the calls to the source."""

    def __init__(self, source: DownlinkSource | None, poll: float) -> None:
        self._source = source
        self._poll = poll
        self._subscribers: dict[int, Subscriber] = {}
        self._listeners: dict[int, Subscriber] = {}
        """Who wants to know what was wrong with its messages."""
        self._waiting: dict[int, list[Message]] = {}
        """Changes that came while the snapshot of a device was being read."""
        self._behind: set[int] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def subscribe(self, subscriber: Subscriber) -> None:
        """The snapshot, then changes; again after each SUBSCRIBE, as a retained message would come again."""
        device = subscriber.device_id
        self._subscribers[device] = subscriber
        self._behind.discard(device)
        if self._source is None or device in self._waiting:
            return
        self._waiting[device] = []
        task = asyncio.create_task(self._snapshot(self._source, device))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def listen(self, subscriber: Subscriber) -> None:
        """Tell it from now on what the decision could not use."""
        self._listeners[subscriber.device_id] = subscriber

    def ignore(self, subscriber: Subscriber) -> None:
        if self._listeners.get(subscriber.device_id) is subscriber:
            del self._listeners[subscriber.device_id]

    def unsubscribe(self, subscriber: Subscriber) -> None:
        if self._subscribers.get(subscriber.device_id) is subscriber:
            del self._subscribers[subscriber.device_id]
            self._behind.discard(subscriber.device_id)

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`: poll, deliver, give a new snapshot to whom was too slow."""
        source = self._source
        if source is None:
            return
        last, refused, failing = -1, -1, False
        while not stop.is_set():
            try:
                last, changes = await asyncio.to_thread(source.changes, last)
                refused, refusals = await asyncio.to_thread(source.refusals, refused)
            except Unavailable as error:
                if not failing:
                    log.warning("gateway.downlink_unavailable", error=str(error))
                failing, changes, refusals = True, [], []
            else:
                failing = False
            for device, message in changes:
                self._deliver(device, message)
            for device, message in refusals:
                if listener := self._listeners.get(device):
                    listener.tell_refusal(message)
            for device in list(self._behind):
                subscriber = self._subscribers.get(device)
                if subscriber is not None and subscriber.drained:
                    self.subscribe(subscriber)
            await wait(stop, self._poll)
        for task in self._tasks:
            task.cancel()

    def _deliver(self, device: int, message: Message) -> None:
        waiting = self._waiting.get(device)
        if waiting is not None:
            waiting.append(message)
            return
        subscriber = self._subscribers.get(device)
        if subscriber is not None and device not in self._behind and not subscriber.tell_orders(message):
            self._behind.add(device)

    async def _snapshot(self, source: DownlinkSource, device: int) -> None:
        try:
            messages = await asyncio.to_thread(source.snapshot, device)
        except Unavailable as error:
            log.warning("gateway.snapshot_failed", device=device, error=str(error))
            self._waiting.pop(device, None)
            if device in self._subscribers:
                self._behind.add(device)
            return
        for message in messages + self._waiting.pop(device, []):
            self._deliver(device, message)
