"""One device's PUBLISH packets: read, counted, given to the committer, acknowledged when they are durable.

Nearly all bytes come by `run`, `_readings` and, in the committer's answer, `durable`.
"""

from collections.abc import Callable

import structlog

from ingest.auth import topic_of
from ingest.decoders import DECODERS
from ingest.flow import Flow
from ingest.frames import Resolver, Row
from ingest.limits import Rejected
from ingest.mqtt.codes import Malformed, Reason
from ingest.mqtt.packets import Publish, puback
from ingest.mqtt.scan import scan, whole
from ingest.quarantine import RefusedBound
from ingest.shared import Shared
from ingest.subscriptions import Subscriptions
from journal.routing import partition_of
from models.identity import DeviceIdentity

log = structlog.get_logger()


class Intake:
    """Of one authenticated connection; who waits for the committer."""

    __slots__ = (
        "_committer",
        "_decode",
        "_field",
        "_flow",
        "_identity",
        "_in_flight",
        "_max_packet",
        "_number",
        "_partition",
        "_pending",
        "_refused",
        "_resolver",
        "_resume",
        "_shared",
        "_subscriptions",
        "_topic",
        "_unacked",
        "_v5",
        "closed",
    )

    def __init__(
        self,
        shared: Shared,
        flow: Flow,
        subscriptions: Subscriptions,
        identity: DeviceIdentity,
        resume: Callable[[], None],
        *,
        v5: bool,
    ) -> None:
        """`resume` takes what waits behind what was too much."""
        config = shared.config
        self._shared = shared
        self._flow = flow
        self._subscriptions = subscriptions
        self._committer = shared.committer
        self._resume = resume
        self._v5 = v5
        self._in_flight = config.in_flight
        self._max_packet = config.max_packet
        self._refused = RefusedBound(config.refused_per_minute, config.raw_kept)
        self._pending = 0
        self._unacked = 0
        self.closed = False
        """Nothing more is acknowledged."""
        self.use(identity)

    def use(self, identity: DeviceIdentity) -> None:
        self._identity = identity
        self._topic = topic_of(identity, "readings")
        self._field = len(self._topic).to_bytes(2, "big") + self._topic
        self._number = slice(3 + len(self._field), 5 + len(self._field))  # of a packet that is `whole`
        self._decode = DECODERS["readings"]()
        self._resolver = Resolver(identity)
        self._partition = partition_of(identity.shard, self._committer.partitions)

    # what comes

    def run(self, data: bytes) -> bytes:
        """Take the run of plain PUBLISH packets in front; what is left."""
        limit = self._in_flight - self._unacked
        at = whole(data, self._field, self._v5, self._max_packet) if limit else 0
        if at:
            self._unacked += 1
            self._readings([data[at:]], 1, b"@\x02" + data[self._number])
            return b""
        payloads, acks, at = scan(data, 0, self._field, self._v5, limit, self._max_packet)
        if not payloads:
            return data
        count = len(payloads)
        self._unacked += count
        self._readings(payloads, count, acks)
        return data[at:]

    def publish(self, packet: Publish) -> None:
        """One packet in whatever form. Raises Malformed."""
        if packet.qos == 2:
            raise Malformed("QoS 2: this gateway takes 0 and 1", Reason.QOS)
        if packet.retain and self._v5:  # 3.1.1 cannot say it, and allows that nothing is retained
            raise Malformed("RETAIN: this gateway retains nothing", Reason.RETAIN)
        if packet.alias is not None:
            raise Malformed("a topic alias: the Topic Alias Maximum is 0", Reason.TOPIC_ALIAS)
        if packet.qos and self._unacked >= self._in_flight:
            raise Malformed(f"more than {self._in_flight} unacknowledged", Reason.RECEIVE_MAXIMUM)
        if packet.topic != self._topic:
            self._foreign(packet)
            return
        acknowledged = 1 if packet.qos else 0
        self._unacked += acknowledged
        self._readings([packet.payload], acknowledged, puback(packet.id) if packet.qos else b"")

    def _foreign(self, packet: Publish) -> None:
        self._shared.metrics.foreign.inc()
        log.warning("gateway.foreign_topic", device=self._identity.device_id, topic=packet.topic[:200])
        if not self._v5:
            raise Malformed("a topic that is not the device's own", Reason.NOT_AUTHORIZED)
        if packet.qos:
            self._unacked += 1
            self._submit(1, 1, puback(packet.id, Reason.NOT_AUTHORIZED))

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
        committer = self._committer
        self._pending += messages
        committer.added(self, messages, acknowledged, acks)
        if self._pending >= self._in_flight and not (self._v5 and self._unacked == self._pending):
            self._flow.full = True
            self._flow.settle()
        elif committer.full:
            self._flow.full = True
            committer.hold(self)
            self._flow.settle()

    def _refuse(self, rejected: Rejected, raw: bytes, now: int) -> None:
        shared = self._shared
        shared.metrics.refused.labels(rejected.code).inc()
        records = self._refused.records(self._identity.device_id, rejected, raw, now, shared.loop.time())
        self._committer.batch.refused.extend((self._partition, record) for record in records)
        if self._refused.exceeded:
            shared.metrics.refused_unkept.inc()
        else:
            self._subscriptions.tell_error(rejected, now)

    # the committer's side

    def durable(self, messages: int, acknowledged: int, acks: bytes) -> None:
        """Acknowledge, and read on."""
        self._pending -= messages
        self._unacked -= acknowledged
        transport = self._flow.transport
        if transport is None or self.closed:
            return
        if acks:
            transport.write(acks)
        if self._flow.full and not self._committer.full:
            self.go_on()

    def go_on(self) -> None:
        if self._flow.full and self._pending <= self._in_flight // 2:
            self._flow.full = False
            self._resume()

    # the end

    def leave(self, *, offline: bool) -> None:
        """What the end of a session leaves: a last will is a reading like any other."""
        now = self._shared.now()
        records = self._refused.left_out(self._identity.device_id, now)
        batch = self._committer.batch
        if offline:
            batch.rows[self._partition].append(self._resolver.offline(now))
        batch.refused.extend((self._partition, record) for record in records)
        if offline or records:
            self._committer.added(self, 1, 0, b"")
            self._pending += 1
