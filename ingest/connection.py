"""One device's connection: bytes in, packets out, nothing acknowledged before it is durable.

What the protocol asks for is here packet by packet; the way of nearly all bytes is `data_received`, `_advance`, `scan`,
`_readings`, and back by `durable`. Reading stops (never drops) while too much of this connection or of all is pending.
"""

import asyncio
from enum import IntEnum
from typing import cast

import structlog

from ingest.auth import RateBound, check_form, topic_of
from ingest.decoders import DECODERS
from ingest.directory import credential_matches
from ingest.downlink import Message, Outgoing, encode
from ingest.frames import Resolver, Row
from ingest.limits import Rejected
from ingest.mqtt import packets
from ingest.mqtt.codes import Malformed, Reason
from ingest.mqtt.packets import Connect, Disconnect, Packet, Pingreq, Puback, Publish, Subscribe, Unsubscribe
from ingest.mqtt.scan import scan
from ingest.quarantine import RefusedBound
from ingest.shared import Shared
from journal.routing import partition_of
from models.identity import DeviceIdentity

log = structlog.get_logger()


class State(IntEnum):
    WAITING = 0  # for CONNECT
    CHECKING = 1  # the credential
    OPEN = 2
    CLOSING = 3


# an enumeration's member costs two look-ups, once per read too many
_WAITING, _OPEN, _CLOSING = State.WAITING, State.OPEN, State.CLOSING
_METERED = 32 * 1024


class Connection(asyncio.Protocol):
    """Created by the listener for every accepted socket."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._config = shared.config
        self._committer = shared.committer
        self._transport: asyncio.Transport | None = None
        self._decoder = packets.Decoder(shared.config.max_packet)
        self.state = State.WAITING
        self.seen = shared.loop.time()
        """When bytes came last; in CLOSING, when it began to close. Loop time."""
        self.idle_limit = shared.config.connect_timeout
        """Seconds without bytes until it is closed; 0: none."""
        self._reading = True
        self._full = False
        """Too much is pending: wait for `durable` or `go_on`."""
        self._slow_peer = False
        self._throttled = False
        self._pending = 0
        self._unacked = 0
        self._v5 = False
        self._version = 4
        self._orders_qos: int | None = None
        self._errors_qos: int | None = None
        """QoS of the subscriptions that there are."""
        self._unmetered = 0
        """Bytes that `_rate` has not seen yet: it is asked now and then only."""
        self._rate = RateBound(shared.config.bytes_per_second, shared.config.burst_bytes)

    # the transport's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        shared = self._shared
        if shared.stopping or shared.half_open >= self._config.max_half_open:
            shared.metrics.disconnects.labels("half_open_limit").inc()
            self.state = State.CLOSING
            self._transport.abort()
            return
        shared.connections.add(self)
        shared.metrics.half_open.set(shared.half_open)
        self._settle()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  Protocol
        broke = self.state is State.OPEN
        self._transport = None
        self.state = State.CLOSING
        self._committer.forget(self)
        self._shared.connections.discard(self)
        if broke:
            self._leave("lost", will=True)
        if not self._shared.connections:
            self._shared.emptied.set()
        self._shared.metrics.half_open.set(self._shared.half_open)

    def pause_writing(self) -> None:
        self._slow_peer = True
        self._settle()

    def resume_writing(self) -> None:
        self._slow_peer = False
        self._settle()

    def data_received(self, data: bytes) -> None:
        state = self.state
        if state is _CLOSING:
            return
        self.seen = self._shared.loop.time()
        if state is _OPEN:
            self._unmetered += len(data)
            if self._unmetered > _METERED:
                self._meter()
            if not self._full and not self._decoder.pending:  # nearly always
                data = self._scan(data)
                if not data:
                    return
        self._decoder.feed(data)
        self._advance()

    def _meter(self) -> None:
        self._shared.metrics.bytes.inc(self._unmetered)
        amount, self._unmetered = self._unmetered, 0
        if not self._rate.take(self.seen, amount):
            self._throttle(amount)

    # what waits is taken as far as the bounds allow

    def _advance(self) -> None:
        try:
            while not self._waits():
                state = self.state
                if state is _OPEN:
                    rest = self._scan(self._decoder.take())
                    if rest:
                        self._decoder.feed(rest)
                    if self._waits():
                        return
                elif state is not _WAITING:
                    return
                packet = self._decoder.next()
                if packet is None:
                    return
                self._take(packet)
        except Malformed as error:
            self._fail(error.reason, str(error))

    def _waits(self) -> bool:
        """Nothing more is taken now; a method, because taking changes it."""
        return self._full

    def _scan(self, data: bytes) -> bytes:
        """Take the run of plain PUBLISH packets in front; what is left."""
        config = self._config
        payloads, acks, at = scan(data, 0, self._field, self._v5, config.in_flight - self._unacked, config.max_packet)
        if not payloads:
            return data
        count = len(payloads)
        self._unacked += count
        self._readings(payloads, count, acks)
        return data[at:]

    def _readings(self, payloads: list[bytes], acknowledged: int, acks: bytes) -> None:
        now = self._shared.now()
        add = self._committer.batch.rows[self._partition].append
        decode, resolve = self._decode, self._resolver.row
        for raw in payloads:
            try:
                reading = decode(raw)
                row: Row | Rejected = reading if isinstance(reading, Rejected) else resolve(reading, raw, now)
            except Exception:
                # a fault of ours must not lock the device out: it would send the same message for ever
                log.exception("gateway.decoder_failed", device=self._identity.device_id)
                row = Rejected("decoder_failed", "this message made the decoder fail; it is kept and can be replayed")
            if isinstance(row, Rejected):
                self._refuse(row, raw, now)
            else:
                add(row)
        self._submit(len(payloads), acknowledged, acks)

    def _submit(self, messages: int, acknowledged: int, acks: bytes) -> None:
        self._pending += messages
        self._committer.added(self, messages, acknowledged, acks)
        if self._pending >= self._config.in_flight and not (self._v5 and self._unacked == self._pending):
            self._full = True
            self._settle()
        elif self._committer.full:
            self._full = True
            self._committer.hold(self)
            self._settle()

    def _refuse(self, rejected: Rejected, raw: bytes, now: int) -> None:
        shared = self._shared
        shared.metrics.refused.labels(rejected.code).inc()
        records = self._refused.records(self._identity.device_id, rejected, raw, now, shared.loop.time())
        self._committer.batch.refused.extend((self._partition, record) for record in records)
        if self._refused.exceeded:
            shared.metrics.refused_unkept.inc()
        elif self._errors_qos is not None:
            message = {"v": 1, "ts": now, "code": rejected.code, "reason": rejected.reason}
            self._outgoing.send(topic_of(self._identity, "errors"), encode(message), self._errors_qos)

    def durable(self, messages: int, acknowledged: int, acks: bytes) -> None:
        """The committer's answer: acknowledge, and read on."""
        self._pending -= messages
        self._unacked -= acknowledged
        if self._transport is None or self.state is State.CLOSING:
            return
        if acks:
            self._transport.write(acks)
        if self._full and self._pending <= self._config.in_flight // 2 and not self._committer.full:
            self._go_on()

    def go_on(self) -> None:
        if self._full and self._pending <= self._config.in_flight // 2:
            self._go_on()

    def _go_on(self) -> None:
        self._full = False
        self.seen = self._shared.loop.time()
        self._advance()
        self._settle()

    def _throttle(self, amount: int) -> None:
        """Read on when the device's bytes fit its rate again."""
        self._throttled = True
        self._settle()
        self._rate.level -= amount  # a debt: it is paid by waiting
        self._shared.loop.call_later(min(60.0, -self._rate.level / self._rate.per_second + 0.01), self._unthrottle)

    def _unthrottle(self) -> None:
        self._throttled = False
        self.seen = self._shared.loop.time()
        self._settle()

    def _settle(self) -> None:
        """Read from the socket exactly when nothing speaks against it."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        reading = not (
            self._full
            or self._slow_peer
            or self._throttled
            or self.state is State.CHECKING
            or self._shared.suspended
            or self._shared.stopping
        )
        if reading and not self._reading:
            self._reading = True
            transport.resume_reading()
        elif not reading and self._reading:
            self._reading = False
            transport.pause_reading()

    def suspension_changed(self) -> None:
        self.seen = self._shared.loop.time()
        self._settle()

    # packet by packet

    def _take(self, packet: Packet) -> None:
        if self.state is State.WAITING:
            if not isinstance(packet, Connect):
                raise Malformed("the first packet is not CONNECT", Reason.PROTOCOL_ERROR)
            self._connect(packet)
        elif isinstance(packet, Publish):
            self._publish(packet)
        elif isinstance(packet, Pingreq):
            self._write(packets.PINGRESP_PACKET)
        elif isinstance(packet, Puback):
            self._outgoing.acknowledged(packet.id)
        elif isinstance(packet, Subscribe):
            self._subscribe(packet)
        elif isinstance(packet, Unsubscribe):
            self._unsubscribe(packet)
        elif isinstance(packet, Disconnect):
            self._leave("disconnect", will=packet.reason == Reason.DISCONNECT_WITH_WILL)
            self._close()
        else:
            raise Malformed("a second CONNECT", Reason.PROTOCOL_ERROR)

    def _publish(self, packet: Publish) -> None:
        if packet.qos == 2:
            raise Malformed("QoS 2: this gateway takes 0 and 1", Reason.QOS)
        if packet.retain and self._v5:  # 3.1.1 cannot say it, and allows that nothing is retained
            raise Malformed("RETAIN: this gateway retains nothing", Reason.RETAIN)
        if packet.alias is not None:
            raise Malformed("a topic alias: the Topic Alias Maximum is 0", Reason.TOPIC_ALIAS)
        if packet.qos and self._unacked >= self._config.in_flight:
            raise Malformed(f"more than {self._config.in_flight} unacknowledged", Reason.RECEIVE_MAXIMUM)
        acknowledged = 1 if packet.qos else 0
        self._unacked += acknowledged
        if packet.topic == self._topic:
            self._readings([packet.payload], acknowledged, packets.puback(packet.id) if packet.qos else b"")
            return
        self._shared.metrics.foreign.inc()
        log.warning("gateway.foreign_topic", device=self._identity.device_id, topic=packet.topic[:200])
        if not self._v5:
            self._unacked -= acknowledged
            raise Malformed("a topic that is not the device's own", Reason.NOT_AUTHORIZED)
        if packet.qos:
            self._submit(1, 1, packets.puback(packet.id, Reason.NOT_AUTHORIZED))

    def _subscribe(self, packet: Subscribe) -> None:
        if packet.subscription_id:
            raise Malformed("subscription identifiers are not available", Reason.SUBSCRIPTION_ID)
        codes, orders = [], False
        for name, qos in packet.filters:
            granted = min(qos, 1)
            if name.encode() == topic_of(self._identity, "orders"):
                self._orders_qos, orders = granted, True
                codes.append(granted)
            elif name.encode() == topic_of(self._identity, "errors"):
                self._errors_qos = granted
                codes.append(granted)
            else:
                codes.append(_refusal(name) if self._v5 else 0x80)
        self._write(packets.suback(self._version, packet.id, codes))
        if orders:
            self._shared.downlink.subscribe(self)

    def _unsubscribe(self, packet: Unsubscribe) -> None:
        codes = []
        for name in packet.filters:
            if name.encode() == topic_of(self._identity, "orders") and self._orders_qos is not None:
                self._orders_qos = None
                self._shared.downlink.unsubscribe(self)
            elif name.encode() == topic_of(self._identity, "errors") and self._errors_qos is not None:
                self._errors_qos = None
            else:
                codes.append(int(Reason.NO_SUBSCRIPTION))
                continue
            codes.append(0)
        self._write(packets.unsuback(self._version, packet.id, codes))

    # the downlink's side

    @property
    def device_id(self) -> int:
        return self._identity.device_id

    @property
    def drained(self) -> bool:
        return self._outgoing.idle and not self._slow_peer

    def tell_orders(self, message: Message) -> bool:
        if self._orders_qos is None or self.state is not State.OPEN:
            return True
        if not self._slow_peer and self._outgoing.send(
            topic_of(self._identity, "orders"), encode(message), self._orders_qos
        ):
            self._shared.metrics.downlink.labels("orders").inc()
            return True
        self._outgoing.clear()
        return False

    # who it is

    def _connect(self, connect: Connect) -> None:
        self._version, self._v5 = connect.version, connect.version == 5
        reason = check_form(connect)
        if reason is not None:
            self._refuse_connect(reason)
            return
        verdict = self._shared.authenticator.known(connect)
        if isinstance(verdict, DeviceIdentity):
            self._open(connect, verdict)
            return
        self.state = State.CHECKING
        self._settle()
        task = self._shared.loop.create_task(self._look_up(connect))
        self._shared.tasks.add(task)
        task.add_done_callback(self._shared.tasks.discard)

    async def _look_up(self, connect: Connect) -> None:
        verdict = await self._shared.authenticator.look_up(connect, self._shared.loop.time())
        if self._transport is None or self.state is not State.CHECKING:
            return
        if isinstance(verdict, DeviceIdentity):
            self._open(connect, verdict)
            self._advance()
            self._settle()
        else:
            self._refuse_connect(verdict)

    def _refuse_connect(self, reason: Reason) -> None:
        self._shared.metrics.connects.labels(reason.name.lower()).inc()
        self._write(packets.connack(self._version, reason))
        self._close()

    def _open(self, connect: Connect, identity: DeviceIdentity) -> None:
        shared = self._shared
        if identity.device_id not in shared.sessions and len(shared.sessions) >= self._config.max_connections:
            self._refuse_connect(Reason.QUOTA)
            return
        old = shared.sessions.get(identity.device_id)
        if old is not None:
            old.end(Reason.TAKEN_OVER, "the same client connected again", will=True)
        self.state = State.OPEN
        self._use(identity)
        self._token = connect.password
        self._will = connect.will is not None
        self._refused = RefusedBound(self._config.refused_per_minute, self._config.raw_kept)
        window = min(connect.receive_maximum, self._config.downlink_in_flight)
        self._outgoing = Outgoing(
            connect.version, window, connect.maximum_packet, self._config.downlink_queue, self._write, shared.metrics
        )
        self.idle_limit = connect.keep_alive * 1.5
        shared.sessions[identity.device_id] = self
        shared.metrics.connects.labels("success").inc()
        shared.metrics.connections.set(len(shared.sessions))
        shared.metrics.half_open.set(shared.half_open)
        self._write(packets.connack(self._version, Reason.SUCCESS, self._offer(connect)))

    def _offer(self, connect: Connect) -> dict[int, int]:
        """MQTT 5: what this server does not do, and its bounds. The Topic Alias Maximum is 0 by default."""
        offer = {
            0x21: self._config.in_flight,
            0x24: 1,
            0x25: 0,
            0x27: self._config.max_packet,
            0x28: 0,
            0x29: 0,
            0x2A: 0,
        }
        if connect.session_expiry:
            offer[0x11] = 0  # sessions end with their connection
        return offer

    def _use(self, identity: DeviceIdentity) -> None:
        self._identity = identity
        self._topic = topic_of(identity, "readings")
        self._field = len(self._topic).to_bytes(2, "big") + self._topic
        self._decode = DECODERS["readings"]()
        self._resolver = Resolver(identity)
        self._partition = partition_of(identity.shard, self._committer.partitions)

    def identity_changed(self, identity: DeviceIdentity) -> None:
        """The directory says something new about this device."""
        if self.state is not State.OPEN:
            return
        named = (identity.account, identity.device) == (self._identity.account, self._identity.device)
        if identity.retired or not identity.ready or not named or not credential_matches(identity, self._token):
            self.end(Reason.ADMINISTRATIVE, "the device was retired, or its credential changed")
            return
        self._use(identity)

    # how it ends

    def overdue(self, now: float) -> bool:
        """Nothing came for too long, and not because we did not read (but for a peer that takes nothing either)."""
        if not self.idle_limit or now - self.seen <= self.idle_limit:
            return False
        return self._reading or self._slow_peer or self.state is State.CLOSING

    def expire(self) -> None:
        """No bytes for too long."""
        if self.state is State.OPEN:
            self.end(Reason.KEEP_ALIVE, "nothing came for 1.5 times the keep-alive", will=True)
        elif self._transport is not None:  # no CONNECT, or a peer that does not take our last bytes
            self._shared.metrics.disconnects.labels("timeout").inc()
            self._transport.abort()

    def end(self, reason: Reason, text: str, *, will: bool = False) -> None:
        if self.state is State.OPEN:
            self._leave(reason.name.lower(), will=will)
            if self._v5:
                self._write(packets.disconnect(reason, text))
        self._close()

    def _fail(self, reason: Reason, text: str) -> None:
        log.info("gateway.protocol_error", reason=reason.name.lower(), error=text, state=self.state.name)
        if self.state is State.WAITING and reason is Reason.UNSUPPORTED_VERSION:
            self._write(packets.connack(4, reason))
        self.end(reason, text, will=True)

    def _leave(self, cause: str, *, will: bool) -> None:
        """The session ends; its will is a reading like any other."""
        shared = self._shared
        self.state = State.CLOSING
        shared.metrics.bytes.inc(self._unmetered)
        shared.metrics.disconnects.labels(cause).inc()
        if shared.sessions.get(self._identity.device_id) is self:
            del shared.sessions[self._identity.device_id]
            shared.metrics.connections.set(len(shared.sessions))
        shared.downlink.unsubscribe(self)
        now = shared.now()
        if shared.stopping:
            return
        records = self._refused.left_out(self._identity.device_id, now)
        offline = will and self._will
        if offline:
            self._committer.batch.rows[self._partition].append(self._resolver.offline(now))
        self._committer.batch.refused.extend((self._partition, record) for record in records)
        if offline or records:
            self._committer.added(self, 1, 0, b"")
            self._pending += 1

    def _close(self) -> None:
        self.state = State.CLOSING
        self.seen, self.idle_limit = self._shared.loop.time(), self._config.stop_within
        if self._transport is not None and not self._transport.is_closing():
            self._transport.close()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)


def _refusal(name: str) -> int:
    """Why MQTT 5 may not subscribe to this."""
    if name.startswith("$share/"):
        return Reason.SHARED
    if "+" in name or "#" in name:
        return Reason.WILDCARD
    return Reason.NOT_AUTHORIZED
