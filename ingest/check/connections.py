"""Rules about how a device connects, keeps on and comes back."""

from ingest.auth import check_form
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
    Said,
    Subscribed,
    Told,
    Withheld,
)
from ingest.check.rule import Rule
from ingest.mqtt.codes import Reason

_CONNECT = "let the device connect"
_CUT = "the check cuts the connection once it has two readings: let the device publish more"


class Connecting(Rule):
    name = "connect"
    demands = "MQTT 3.1.1 or 5; client identifier = the device's name, user name = the account's, password = its token"
    todo = "take name, account and token from the registration (`ullage device add`), and send them with each CONNECT"
    provoke = _CONNECT

    def see(self, event: Event) -> None:
        if isinstance(event, Connected):
            connect = event.connect
            refused = event.refused or check_form(connect)
            who = f"{connect.user or '(no user name)'}/{connect.client or '(no client identifier)'}"
            if refused is not None:
                self.broken(f"{who}: the gateway answers {refused:#x}, {refused.name.lower()}")
            elif not connect.user or not connect.password:
                self.broken(f"{who}: user name and password are both needed")
            else:
                self.kept(f"{who}, MQTT {'5' if connect.version == 5 else '3.1.1'}")
        elif isinstance(event, Broke) and event.reason in {Reason.MALFORMED, Reason.UNSUPPORTED_VERSION}:
            self.broken(event.why)


class Session(Rule):
    name = "session"
    demands = "nothing of a session is relied on: after a reconnect the device subscribes again"
    todo = "subscribe in the handler of CONNACK, not once at the start; the gateway never has a session present"
    provoke = f"let the device subscribe to its topics `orders` or `errors`; {_CUT}"

    def __init__(self) -> None:
        super().__init__()
        self._subscribed: set[int] = set()
        self._said: set[int] = set()

    def see(self, event: Event) -> None:
        if isinstance(event, Subscribed):
            self._subscribed.add(event.session)
            if min(self._subscribed) < event.session:
                self.kept(f"subscribed again on connection {event.session}")
        elif isinstance(event, Said):
            self._said.add(event.session)

    def end(self) -> None:
        for session in sorted(self._said - self._subscribed):
            if self._subscribed and session > min(self._subscribed):
                self.broken(f"connection {session}: it published, but did not subscribe again")


class KeepAlive(Rule):
    name = "keep_alive"
    demands = "a keep-alive of at most 20 minutes, not 0, and a PINGREQ or another packet within it"
    todo = "set the keep-alive to about 60 s, and call the MQTT library's loop often enough for it to send PINGREQ"
    provoke = "leave the device connected and quiet for longer than its keep-alive"
    MOST_S = 1_200

    def __init__(self) -> None:
        super().__init__()
        self._seconds = 0

    def see(self, event: Event) -> None:
        if isinstance(event, Connected):
            self._seconds = event.connect.keep_alive
            if self._seconds == 0:
                self.broken("keep-alive 0: a dead connection is never noticed, on neither side")
            elif self._seconds > self.MOST_S:
                self.broken(f"keep-alive {self._seconds} s: a dead connection is noticed after as long")
        elif isinstance(event, Quiet):
            self.broken(f"connection {event.session}: nothing for 1.5 times the keep-alive of {event.keep_alive} s")
        elif isinstance(event, Pinged) and self._seconds:
            self.kept(f"PINGREQ with a keep-alive of {self._seconds} s")


class Quality(Rule):
    name = "qos"
    demands = "readings are published with QoS 1 and without RETAIN"
    todo = "publish with QoS 1: at QoS 0 a reading is lost without a word; QoS 2 and RETAIN are refused"
    provoke = "let the device publish a reading"

    def see(self, event: Event) -> None:
        publish = event.publish if isinstance(event, Said) else None
        if publish is None:
            if isinstance(event, Broke) and event.reason in {Reason.QOS, Reason.RETAIN}:
                self.broken(event.why)
            return
        if publish.qos != 1:
            self.broken(f"a reading with QoS {publish.qos}")
        elif publish.retain:
            self.broken("a reading with RETAIN")
        else:
            self.kept("a reading with QoS 1")


class Topics(Rule):
    name = "topic"
    demands = "readings go to ullage/v1/{account}/{device}/readings"
    todo = "publish to the device's own topic only, built from the same names as the CONNECT"
    provoke = "let the device publish a reading"

    def see(self, event: Event) -> None:
        if isinstance(event, Foreign):
            self.broken(f"published to {event.publish.topic.decode(errors='replace')[:100]!r}")
        elif isinstance(event, Said):
            self.kept("published to its own topic")


class Alias(Rule):
    name = "topic_alias"
    demands = "no topic alias is used: CONNACK says Topic Alias Maximum 0"
    todo = "send the whole topic with each PUBLISH, or use aliases only up to the maximum of the CONNACK"
    provoke = "let the device publish a reading"

    def see(self, event: Event) -> None:
        if isinstance(event, Broke) and event.reason == Reason.TOPIC_ALIAS:
            self.broken(event.why)
        elif isinstance(event, Said):
            self.kept("published with its whole topic")


class Window(Rule):
    name = "window"
    demands = "at most 500 readings wait for their PUBACK"
    todo = "keep to the Receive Maximum of the CONNACK; a window of 20 is plenty"
    provoke = "let the device publish readings"

    def see(self, event: Event) -> None:
        if isinstance(event, Broke) and event.reason == Reason.RECEIVE_MAXIMUM:
            self.broken(event.why)
        elif isinstance(event, Said):
            self.kept("kept to it")


class Resend(Rule):
    name = "resend"
    demands = "a reading is kept until its PUBACK, and sent again after a reconnect"
    todo = "take a reading out of the store when its PUBACK comes, not when it is sent; after CONNACK send what is left"
    provoke = _CUT

    def __init__(self) -> None:
        super().__init__()
        self._owed: set[Key] = set()
        self._session = 0
        self._later = 0

    def see(self, event: Event) -> None:
        if isinstance(event, Withheld):
            self._owed.add(event.key)
            self._session = event.session
        elif isinstance(event, Said) and self._owed and event.session > self._session:
            if event.key not in self._owed:
                self._later += 1
                return
            self._owed.discard(event.key)
            if not self._owed:
                self.kept(f"what got no PUBACK came again on connection {event.session}")

    def end(self) -> None:
        if self._owed and self._later:
            self.broken(f"{len(self._owed)} readings got no PUBACK and never came again; {self._later} others came")


class Reconnect(Rule):
    name = "reconnect"
    demands = "after a broken connection the device comes back by itself, with growing pauses"
    todo = "connect again in a loop: after 1 s, then twice as long each time up to some minutes, and a bit of chance"
    provoke = _CUT
    MOST_PER_SECOND = 5

    def __init__(self) -> None:
        super().__init__()
        self._cut: float | None = None
        self._times: list[float] = []

    def see(self, event: Event) -> None:
        if isinstance(event, Cut):
            self._cut = event.at
        elif isinstance(event, Connected):
            self._times.append(event.at)
            if self._cut is not None:
                self.kept(f"came back {event.at - self._cut:.1f} s after the connection was cut")
                self._cut = None
            recent = self._times[-self.MOST_PER_SECOND - 1 :]
            if len(recent) > self.MOST_PER_SECOND and recent[-1] - recent[0] < 1:
                self.broken(f"{len(recent)} connections within a second")

    def end(self) -> None:
        if self._cut is not None:
            self.broken("it did not come back after the connection was cut")


class Downlink(Rule):
    name = "downlink"
    demands = "the device hears its topics `orders` and `errors`, and acknowledges what comes with QoS 1"
    todo = "let the MQTT library answer with PUBACK, also for messages that the program does not use"
    provoke = "let the device subscribe to ullage/v1/{account}/{device}/errors: there it is told what is wrong with it"

    def __init__(self) -> None:
        super().__init__()
        self._open: set[tuple[int, int]] = set()

    def see(self, event: Event) -> None:
        if isinstance(event, Told):
            if event.id:
                self._open.add((event.session, event.id))
            else:
                self.kept(f"subscribed to {event.topic} with QoS 0: nothing tells whether it hears")
        elif isinstance(event, Confirmed):
            self._open.discard((event.session, event.id))
            self.kept("a message on its downlink was acknowledged")
        elif isinstance(event, Cut) or (isinstance(event, Left) and not event.politely):
            self._open = {one for one in self._open if one[0] != event.session}

    def end(self) -> None:
        if self._open:
            self.broken(f"{len(self._open)} messages on its downlink were never acknowledged")
