"""A test listener for one device: it takes what the gateway takes, withholds PUBACKs once, and cuts one connection.

Nothing is kept: no journal, no ledger. It answers as the gateway does wherever a rule looks.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from ingest.auth import check_form, judge
from ingest.check.events import (
    Broke,
    Confirmed,
    Connected,
    Cut,
    Event,
    Foreign,
    Key,
    Left,
    Pinged,
    Quiet,
    Subscribed,
    Told,
    Withheld,
)
from ingest.check.said import Reader, reader
from ingest.config import GatewayConfig
from ingest.handshake import offer
from ingest.mqtt import packets
from ingest.mqtt.codes import Malformed, Reason
from ingest.mqtt.packets import Connect, Decoder, Disconnect, Packet, Pingreq, Puback, Publish, Subscribe, Unsubscribe
from models.identity import DeviceIdentity

GREETING = {"v": 1, "code": "invalid", "reason": "a test message of ullage device check: nothing is wrong"}
GREETING |= {"todo": "nothing"}


@dataclass
class Checker:
    """What all connections share. `see` hears the events; `now` is ms since 1970."""

    see: Callable[[Event], None]
    now: Callable[[], int]
    identity: DeviceIdentity | None = None
    """As it is registered; None: any name and token will do, and units cannot be judged against slots."""
    good: int = 2
    """So many readings are acknowledged, the next one is not, nor what comes until the cut."""
    patience: float = 3.0
    """Seconds between the withheld PUBACK and the cut: a device that does not wait for it says more meanwhile."""
    config: GatewayConfig = field(default_factory=GatewayConfig)
    sessions: int = 0
    readings: int = 0
    withheld: bool = False
    _open: set["Device"] = field(default_factory=set)

    async def listen(self, host: str, port: int) -> asyncio.Server:
        """Raises OSError."""
        return await asyncio.get_running_loop().create_server(lambda: Device(self), host, port)

    def opened(self, device: "Device") -> None:
        self._open.add(device)

    def closed(self, device: "Device") -> None:
        self._open.discard(device)

    def end(self) -> None:
        for device in list(self._open):
            device.close()


class Device(asyncio.Protocol):
    """One connection of the device."""

    def __init__(self, checker: Checker) -> None:
        self._checker = checker
        self._loop = asyncio.get_running_loop()
        self._decoder = Decoder(checker.config.max_packet)
        self._connect: Connect | None = None
        self._reader: Reader | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._withheld: set[int] = set()
        self._politely = self._cut = False
        self.session = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._checker.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._checker.closed(self)
        if self._timer is not None:
            self._timer.cancel()
        if self.session and not self._cut:
            self._checker.see(Left(self.session, self._politely))

    def close(self) -> None:
        """The check has ended."""
        self._cut = True
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._decoder.feed(data)
        self._watch()
        try:
            while not self._transport.is_closing() and (packet := self._decoder.next()) is not None:
                self._take(packet)
        except Malformed as error:
            self._checker.see(Broke(self.session, error.reason, str(error)))
            if self._connect is not None and self._connect.version == 5:
                self._transport.write(packets.disconnect(error.reason, str(error)))
            self._transport.close()

    def _watch(self) -> None:
        """Nothing for 1.5 times the keep-alive is told once per silence."""
        if self._timer is not None:
            self._timer.cancel()
        if self._connect is not None and (seconds := self._connect.keep_alive):
            self._timer = self._loop.call_later(1.5 * seconds, self._quiet, seconds)

    def _quiet(self, seconds: int) -> None:
        self._checker.see(Quiet(self.session, seconds))
        self._transport.close()

    def _take(self, packet: Packet) -> None:
        connect = self._connect
        if isinstance(packet, Connect):
            self._connected(packet)
        elif self._reader is None or connect is None:
            raise Malformed("the first packet is not a CONNECT", Reason.PROTOCOL_ERROR)
        elif isinstance(packet, Publish):
            self._publish(packet, self._reader)
        elif isinstance(packet, Puback):
            self._checker.see(Confirmed(self.session, packet.id))
        elif isinstance(packet, Subscribe):
            self._subscribe(packet, connect)
        elif isinstance(packet, Unsubscribe):
            self._transport.write(packets.unsuback(self._decoder.version, packet.id, [0] * len(packet.filters)))
        elif isinstance(packet, Pingreq):
            self._checker.see(Pinged(self.session))
            self._transport.write(packets.PINGRESP_PACKET)
        elif isinstance(packet, Disconnect):
            self._politely = packet.reason == Reason.SUCCESS
            self._transport.close()

    def _connected(self, connect: Connect) -> None:
        if self._connect is not None:
            raise Malformed("a second CONNECT", Reason.PROTOCOL_ERROR)
        checker = self._checker
        refused = check_form(connect)
        if refused is None and checker.identity is not None:
            mine = (connect.user, connect.client) == (checker.identity.account, checker.identity.device)
            refused = judge(checker.identity if mine else None, connect)
        checker.sessions += 1
        self.session, self._connect = checker.sessions, connect
        checker.see(Connected(self._loop.time(), self.session, connect, refused))
        if refused is not None:
            self._transport.write(packets.connack(connect.version, refused))
            self._transport.close()
            return
        self._reader = reader(connect, checker.identity)
        self._transport.write(packets.connack(connect.version, Reason.SUCCESS, offer(checker.config, connect)))
        self._watch()

    def _publish(self, packet: Publish, reader: Reader) -> None:
        if packet.qos == 2:
            raise Malformed("a reading with QoS 2", Reason.QOS)
        if packet.alias is not None:
            raise Malformed("a topic alias", Reason.TOPIC_ALIAS)
        checker = self._checker
        if packet.topic != reader.topic:
            checker.see(Foreign(self.session, packet))
            self._acknowledge(packet, Reason.NOT_AUTHORIZED if self._decoder.version == 5 else Reason.SUCCESS)
            return
        said = reader.read(packet, self._loop.time(), self.session, checker.now())
        checker.see(said)
        checker.readings += 1
        if not checker.withheld and said.key is not None and packet.qos and checker.readings > checker.good:
            checker.withheld = True
            self._loop.call_later(checker.patience, self._break)
            self._withhold(packet, said.key)
        elif self._withheld and packet.qos and said.key is not None:
            self._withhold(packet, said.key)
        else:
            self._acknowledge(packet, Reason.SUCCESS)

    def _withhold(self, packet: Publish, key: Key) -> None:
        """From the first withheld PUBACK to the cut none is sent. Raises Malformed when too many wait."""
        self._withheld.add(packet.id)
        self._checker.see(Withheld(self.session, key))
        most = self._checker.config.in_flight
        if len(self._withheld) > most and self._decoder.version == 5:  # a 3.1.1 device cannot know the bound
            raise Malformed(f"more than {most} unacknowledged", Reason.RECEIVE_MAXIMUM)

    def _acknowledge(self, packet: Publish, reason: Reason) -> None:
        if packet.qos:
            self._transport.write(packets.puback(packet.id, reason))

    def _break(self) -> None:
        """As a lost network does: in the middle, without a word."""
        if not self._transport.is_closing():
            self._cut = True
            self._checker.see(Cut(self._loop.time(), self.session))
            self._transport.abort()

    def _subscribe(self, packet: Subscribe, connect: Connect) -> None:
        version, codes, told = connect.version, list[int](), list[tuple[str, int]]()
        for name, qos in packet.filters:
            own = name in {f"ullage/v1/{connect.user}/{connect.client}/{level}" for level in ("orders", "errors")}
            granted = min(qos, 1) if own else (Reason.NOT_AUTHORIZED if version == 5 else 0x80)
            codes.append(granted)
            if own and name.endswith("/errors"):
                told.append((name, granted))
        self._transport.write(packets.suback(version, packet.id, codes))
        self._checker.see(Subscribed(self.session, tuple(name for name, _ in packet.filters)))
        for name, qos in told:
            body = json.dumps(GREETING | {"ts": self._checker.now()}).encode()
            self._transport.write(packets.publish(version, name.encode(), body, qos, 1 if qos else 0))
            self._checker.see(Told(self.session, name, 1 if qos else 0))
