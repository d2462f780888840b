"""From CONNECT to a verdict: who it is, or why not. What is known answers at once, the rest after a look-up."""

from typing import Protocol

from ingest.auth import check_form
from ingest.config import GatewayConfig
from ingest.flow import Flow
from ingest.mqtt.codes import Reason
from ingest.mqtt.packets import Connect
from ingest.shared import Shared
from models.identity import DeviceIdentity


class Asking(Protocol):
    """The connection that waits for the verdict."""

    def opened(self, connect: Connect, identity: DeviceIdentity) -> None: ...

    def turned_away(self, reason: Reason) -> None: ...

    def resumed(self) -> None:
        """What came behind CONNECT meanwhile may be taken."""


def begin(shared: Shared, flow: Flow, asking: Asking, connect: Connect) -> None:
    """Answers `asking` now, or later with `flow.checking` set until then."""
    reason = check_form(connect)
    if reason is not None:
        asking.turned_away(reason)
        return
    verdict = shared.authenticator.known(connect)
    if isinstance(verdict, DeviceIdentity):
        asking.opened(connect, verdict)
        return
    flow.checking = True
    flow.settle()
    task = shared.loop.create_task(_look_up(shared, flow, asking, connect))
    shared.tasks.add(task)
    task.add_done_callback(shared.tasks.discard)


async def _look_up(shared: Shared, flow: Flow, asking: Asking, connect: Connect) -> None:
    verdict = await shared.authenticator.look_up(connect, shared.loop.time())
    if flow.transport is None or not flow.checking:
        return
    flow.checking = False
    if isinstance(verdict, DeviceIdentity):
        asking.opened(connect, verdict)
        asking.resumed()
    else:
        asking.turned_away(verdict)


def offer(config: GatewayConfig, connect: Connect) -> dict[int, int]:
    """MQTT 5: what this server does not do, and its bounds. The Topic Alias Maximum is 0 by default."""
    properties = {
        0x21: config.in_flight,
        0x24: 1,
        0x25: 0,
        0x27: config.max_packet,
        0x28: 0,
        0x29: 0,
        0x2A: 0,
    }
    if connect.session_expiry:
        properties[0x11] = 0  # sessions end with their connection
    return properties
