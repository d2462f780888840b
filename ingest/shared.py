"""What all connections of one gateway share."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ingest.auth import Authenticator
from ingest.commit import Committer
from ingest.config import GatewayConfig
from ingest.downlink import Downlink
from ingest.metrics import GatewayMetrics

if TYPE_CHECKING:
    from ingest.connection import Connection


@dataclass(slots=True)
class Shared:
    config: GatewayConfig
    metrics: GatewayMetrics
    committer: Committer
    authenticator: Authenticator
    downlink: Downlink
    now: Callable[[], int]
    """Domain time, ms."""
    loop: asyncio.AbstractEventLoop
    connections: "set[Connection]" = field(default_factory=set)
    sessions: "dict[int, Connection]" = field(default_factory=dict)
    """Device -> its one authenticated connection."""
    tasks: "set[asyncio.Task[None]]" = field(default_factory=set)
    emptied: asyncio.Event = field(default_factory=asyncio.Event)
    """Set whenever the last connection is gone."""
    suspended: bool = False
    """The journal takes nothing: sockets are not read, time-outs do not run."""
    stopping: bool = False

    @property
    def half_open(self) -> int:
        return len(self.connections) - len(self.sessions)
