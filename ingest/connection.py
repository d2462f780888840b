"""One device's connection: bytes in, packets out, nothing acknowledged before it is durable.

What the protocol asks for is here packet by packet; the way of nearly all bytes is `data_received`, `Intake.run`, and
back by `Intake.durable`. Reading stops (never drops) while too much of this connection or of all is pending.
"""

import asyncio
from enum import IntEnum
from typing import cast

import structlog

from ingest import handshake
from ingest.flow import METERED, Flow
from ingest.mqtt import packets
from ingest.mqtt.codes import Malformed, Reason
from ingest.mqtt.packets import Connect, Disconnect, Packet, Pingreq, Puback, Publish, Subscribe, Unsubscribe
from ingest.session import Session
from ingest.shared import Shared
from models.identity import DeviceIdentity

log = structlog.get_logger()


class State(IntEnum):
    WAITING = 0  # for CONNECT
    CHECKING = 1  # the credential
    OPEN = 2
    CLOSING = 3


class Connection(asyncio.Protocol):
    """Created by the listener for every accepted socket."""

    __slots__ = ("_config", "_decoder", "_flow", "_idle_limit", "_session", "_shared", "_state", "_time", "_version")

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._config = shared.config
        self._time = shared.loop.time
        self._flow = Flow(shared)
        self._decoder = packets.Decoder(shared.config.max_packet)
        self._session: Session | None = None
        """There is one exactly while the state is OPEN."""
        self._state = State.WAITING
        self._idle_limit = shared.config.connect_timeout
        """Seconds without bytes until it is closed; 0: none."""
        self._version = 4

    # the transport's side

    def admitted(self) -> bool:
        """From now on it counts as half open; False: there are too many."""
        shared = self._shared
        if self in shared.connections:  # TLS asked before it shook hands
            return True
        if shared.stopping or shared.half_open >= self._config.max_half_open:
            shared.metrics.disconnects.labels("half_open_limit").inc()
            self._state = State.CLOSING
            return False
        shared.connections.add(self)
        shared.metrics.half_open.set(shared.half_open)
        return True

    @property
    def connected(self) -> bool:
        return self._flow.transport is not None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._flow.transport = cast("asyncio.Transport", transport)
        if self.admitted():
            self._flow.settle()
        else:
            self._flow.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  Protocol
        shared = self._shared
        self._flow.transport = None
        shared.connections.discard(self)
        self._leave("lost", will=True)
        self._state = State.CLOSING
        if not shared.connections:
            shared.emptied.set()
        shared.metrics.half_open.set(shared.half_open)

    def pause_writing(self) -> None:
        self._flow.slow_peer = True
        self._flow.settle()

    def resume_writing(self) -> None:
        self._flow.slow_peer = False
        self._flow.settle()

    def data_received(self, data: bytes) -> None:
        flow, session = self._flow, self._session
        if session is not None:
            flow.seen = self._time()
            flow.unmetered += len(data)
            if flow.unmetered > METERED:
                flow.meter()
            if not flow.full and not self._decoder.pending:  # nearly always
                data = session.intake.run(data)
                if not data:
                    return
        elif self._state is State.CLOSING:
            return
        else:
            flow.seen = self._time()
        self._decoder.feed(data)
        self._advance()

    # what waits is taken as far as the bounds allow

    def _advance(self) -> None:
        try:
            while not self._waits():
                session = self._session
                if session is not None:
                    rest = session.intake.run(self._decoder.take())
                    if rest:
                        self._decoder.feed(rest)
                    if self._waits():
                        return
                elif self._state is not State.WAITING:
                    return
                packet = self._decoder.next()
                if packet is None:
                    return
                self._take(packet)
        except Malformed as error:
            self._fail(error.reason, str(error))

    def _waits(self) -> bool:
        """Nothing more is taken now; a method, because taking changes it."""
        return self._flow.full

    def resumed(self) -> None:
        """What waits may be taken now."""
        self._flow.seen = self._time()
        self._advance()
        self._flow.settle()

    def suspension_changed(self) -> None:
        self._flow.go_on()

    # packet by packet

    def _take(self, packet: Packet) -> None:
        session = self._session
        if session is None:
            if not isinstance(packet, Connect):
                raise Malformed("the first packet is not CONNECT", Reason.PROTOCOL_ERROR)
            self._version = packet.version
            self._state = State.CHECKING
            handshake.begin(self._shared, self._flow, self, packet)
        elif isinstance(packet, Publish):
            session.intake.publish(packet)
        elif isinstance(packet, Pingreq):
            self._flow.write(packets.PINGRESP_PACKET)
        elif isinstance(packet, Puback):
            session.subscriptions.acknowledged(packet.id)
        elif isinstance(packet, Subscribe):
            session.subscriptions.subscribe(packet)
        elif isinstance(packet, Unsubscribe):
            session.subscriptions.unsubscribe(packet)
        elif isinstance(packet, Disconnect):
            self._leave("disconnect", will=packet.reason == Reason.DISCONNECT_WITH_WILL)
            self._close()
        else:
            raise Malformed("a second CONNECT", Reason.PROTOCOL_ERROR)

    # the verdict on CONNECT

    def turned_away(self, reason: Reason) -> None:
        self._shared.metrics.connects.labels(reason.name.lower()).inc()
        self._flow.write(packets.connack(self._version, reason))
        self._close()

    def opened(self, connect: Connect, identity: DeviceIdentity) -> None:
        shared = self._shared
        old = shared.sessions.get(identity.device_id)
        if old is not None:
            old.end(Reason.TAKEN_OVER, "the same client connected again", will=True)
        elif len(shared.sessions) >= self._config.max_connections:
            self.turned_away(Reason.QUOTA)
            return
        self._state = State.OPEN
        self._session = Session(shared, self._flow, connect, identity, self.resumed)
        self._idle_limit = connect.keep_alive * 1.5
        shared.sessions[identity.device_id] = self
        shared.metrics.connects.labels("success").inc()
        shared.metrics.connections.set(len(shared.sessions))
        shared.metrics.half_open.set(shared.half_open)
        self._flow.write(packets.connack(self._version, Reason.SUCCESS, handshake.offer(self._config, connect)))

    def identity_changed(self, identity: DeviceIdentity) -> None:
        """The directory says something new about this device."""
        if self._session is not None and not self._session.still_good(identity):
            self.end(Reason.ADMINISTRATIVE, "the device was retired, or its credential changed")

    # how it ends

    def overdue(self, now: float) -> bool:
        """Nothing came for too long, and not because we did not read (but for a peer that takes nothing either)."""
        flow = self._flow
        if not self._idle_limit or now - flow.seen <= self._idle_limit:
            return False
        return flow.reading or flow.slow_peer or self._state is State.CLOSING

    def expire(self) -> None:
        """No bytes for too long."""
        if self._session is not None:
            self.end(Reason.KEEP_ALIVE, "nothing came for 1.5 times the keep-alive", will=True)
        elif self._flow.transport is not None:  # no CONNECT, or a peer that does not take our last bytes
            self._shared.metrics.disconnects.labels("timeout").inc()
            self._flow.transport.abort()

    def end(self, reason: Reason, text: str, *, will: bool = False) -> None:
        if self._leave(reason.name.lower(), will=will) and self._version == 5:
            self._flow.write(packets.disconnect(reason, text))
        self._close()

    def abort(self) -> None:
        if self._flow.transport is not None:
            self._flow.transport.abort()

    def _fail(self, reason: Reason, text: str) -> None:
        log.info("gateway.protocol_error", reason=reason.name.lower(), error=text, state=self._state.name)
        if self._state is State.WAITING and reason is Reason.UNSUPPORTED_VERSION:
            self._flow.write(packets.connack(4, reason))
        self.end(reason, text, will=True)

    def _leave(self, cause: str, *, will: bool) -> bool:
        """The session ends; False when there is none."""
        session, shared = self._session, self._shared
        if session is None:
            return False
        self._session = None
        self._state = State.CLOSING
        shared.committer.forget(session.intake)
        shared.metrics.bytes.inc(self._flow.unmetered)
        shared.metrics.disconnects.labels(cause).inc()
        if shared.sessions.get(session.identity.device_id) is self:
            del shared.sessions[session.identity.device_id]
            shared.metrics.connections.set(len(shared.sessions))
        session.leave(will=will)
        return True

    def _close(self) -> None:
        self._state = State.CLOSING
        self._flow.checking = False
        self._flow.seen, self._idle_limit = self._time(), self._config.stop_within
        if self._flow.transport is not None and not self._flow.transport.is_closing():
            self._flow.transport.close()
