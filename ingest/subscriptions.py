"""What one device subscribed to, and the messages that go to it."""

from ingest.auth import topic_of
from ingest.downlink import Message, Outgoing, encode
from ingest.flow import Flow
from ingest.limits import Rejected
from ingest.mqtt import packets
from ingest.mqtt.codes import Malformed, Reason
from ingest.mqtt.packets import Connect, Subscribe, Unsubscribe
from ingest.shared import Shared
from ingest.todo import todo
from models.identity import DeviceIdentity


class Subscriptions:
    """Of one authenticated connection; the downlink's Subscriber."""

    __slots__ = ("_flow", "_outgoing", "_shared", "_version", "acknowledged", "errors_qos", "identity", "orders_qos")

    def __init__(self, shared: Shared, flow: Flow, connect: Connect, identity: DeviceIdentity) -> None:
        config = shared.config
        self._shared = shared
        self._flow = flow
        self._version = connect.version
        self.identity = identity
        self.orders_qos: int | None = None
        self.errors_qos: int | None = None
        self._outgoing = Outgoing(
            connect.version,
            min(connect.receive_maximum, config.downlink_in_flight),
            connect.maximum_packet,
            config.downlink_queue,
            flow.write,
            shared.metrics,
        )
        self.acknowledged = self._outgoing.acknowledged

    def subscribe(self, packet: Subscribe) -> None:
        if packet.subscription_id:
            raise Malformed("subscription identifiers are not available", Reason.SUBSCRIPTION_ID)
        codes, orders = [], False
        for name, qos in packet.filters:
            granted = min(qos, 1)
            if name.encode() == topic_of(self.identity, "orders"):
                self.orders_qos, orders = granted, True
                codes.append(granted)
            elif name.encode() == topic_of(self.identity, "errors"):
                self.errors_qos = granted
                self._shared.downlink.listen(self)
                codes.append(granted)
            else:
                codes.append(_refusal(name) if self._version == 5 else 0x80)
        self._flow.write(packets.suback(self._version, packet.id, codes))
        if orders:
            self._shared.downlink.subscribe(self)

    def unsubscribe(self, packet: Unsubscribe) -> None:
        codes = []
        for name in packet.filters:
            if name.encode() == topic_of(self.identity, "orders") and self.orders_qos is not None:
                self.orders_qos = None
                self._shared.downlink.unsubscribe(self)
            elif name.encode() == topic_of(self.identity, "errors") and self.errors_qos is not None:
                self.errors_qos = None
                self._shared.downlink.ignore(self)
            else:
                codes.append(int(Reason.NO_SUBSCRIPTION))
                continue
            codes.append(0)
        self._flow.write(packets.unsuback(self._version, packet.id, codes))

    @property
    def device_id(self) -> int:
        return self.identity.device_id

    @property
    def drained(self) -> bool:
        return self._outgoing.idle and not self._flow.slow_peer

    def tell_orders(self, message: Message) -> bool:
        if self.orders_qos is None:
            return True
        topic = topic_of(self.identity, "orders")
        if not self._flow.slow_peer and self._outgoing.send(topic, encode(message), self.orders_qos):
            self._shared.metrics.downlink.labels("orders").inc()
            return True
        self._outgoing.clear()
        return False

    def tell_error(self, rejected: Rejected, now: int) -> None:
        """What was wrong with a message, if the device wants to know. `now`: domain ms."""
        if self.errors_qos is not None:
            self.tell_refusal({"v": 1, "ts": now, "code": rejected.code, "reason": rejected.reason})

    def tell_refusal(self, message: Message) -> None:
        """What was wrong, and what to send instead."""
        if self.errors_qos is not None:
            whole = message | {"todo": todo(str(message["code"]))}
            self._outgoing.send(topic_of(self.identity, "errors"), encode(whole), self.errors_qos)
            self._shared.metrics.downlink.labels("errors").inc()

    def leave(self) -> None:
        """The session ends: nothing more is told."""
        self.orders_qos = self.errors_qos = None
        self._shared.downlink.unsubscribe(self)
        self._shared.downlink.ignore(self)


def _refusal(name: str) -> int:
    """Why MQTT 5 may not subscribe to this."""
    if name.startswith("$share/"):
        return Reason.SHARED
    if "+" in name or "#" in name:
        return Reason.WILDCARD
    return Reason.NOT_AUTHORIZED
