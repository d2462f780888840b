"""An authenticated device on one connection: what it publishes, what it subscribed to, how that ends."""

from collections.abc import Callable

from ingest.directory import credential_matches
from ingest.flow import Flow
from ingest.intake import Intake
from ingest.mqtt.packets import Connect
from ingest.shared import Shared
from ingest.subscriptions import Subscriptions
from models.identity import DeviceIdentity


class Session:
    __slots__ = ("_shared", "_token", "_will", "identity", "intake", "subscriptions")

    def __init__(
        self, shared: Shared, flow: Flow, connect: Connect, identity: DeviceIdentity, resume: Callable[[], None]
    ) -> None:
        self._shared = shared
        self.identity = identity
        self._token = connect.password
        self._will = connect.will is not None
        self.subscriptions = Subscriptions(shared, flow, connect, identity)
        self.intake = Intake(shared, flow, self.subscriptions, identity, resume, v5=connect.version == 5)

    def still_good(self, identity: DeviceIdentity) -> bool:
        """Takes in what the directory says new about this device; False: it may not stay."""
        named = (identity.account, identity.device) == (self.identity.account, self.identity.device)
        if identity.retired or not identity.ready or not named or not credential_matches(identity, self._token):
            return False
        self.identity = self.subscriptions.identity = identity
        self.intake.use(identity)
        return True

    def leave(self, *, will: bool) -> None:
        """`will`: it ended so that the last will counts."""
        self.intake.closed = True
        self.subscriptions.leave()
        if not self._shared.stopping:
            self.intake.leave(offline=will and self._will)
