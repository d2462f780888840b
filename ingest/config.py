"""Every limit of the gateway in one place, with its default."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class GatewayConfig:
    """Times are real seconds: they concern the network, not the domain."""

    host: str = "127.0.0.1"
    port: int | None = 1883
    """TCP; 0: any free port, None: do not listen without TLS."""
    tls_port: int | None = None
    """TLS, with `certificate` and `key`; 0: any free port."""
    certificate: Path | None = None
    key: Path | None = None

    max_connections: int = 10_000
    max_half_open: int = 1_000
    """Connections that have not yet authenticated; further ones are closed at once."""
    connect_timeout: float = 10.0
    """From the connection to a valid CONNECT (and the TLS handshake)."""
    max_packet: int = 128 * 1024
    """Bytes, the Maximum Packet Size of MQTT 5. Larger than the largest message, so that one that is somewhat too
    large is refused with a reason instead of breaking the connection."""
    in_flight: int = 500
    """PUBLISH packets of one connection that are not yet acknowledged: the Receive Maximum of MQTT 5."""
    bytes_per_second: int = 1 << 20
    """Of one device, on average; beyond it its socket is read later."""
    burst_bytes: int = 4 << 20

    linger: float = 0.005
    """At most so long a reading waits for others to share its commit."""
    batch: int = 1_000
    """Readings; a commit does not wait when it has as many."""
    pending_high: int = 20_000
    """Readings not yet durable, all connections; beyond it sockets are read no more ..."""
    pending_low: int = 10_000
    """... until so few are left."""

    raw_kept: int = 4_096
    """Bytes of refused input that are kept."""
    refused_per_minute: int = 60
    """Refused messages of one device that are kept; further ones are acknowledged, counted, and told once a minute."""

    directory_poll: float = 1.0
    lookups_per_second: float = 100.0
    """Credentials looked up at once because they are not known yet."""

    downlink_poll: float = 0.5
    downlink_queue: int = 200
    """Messages that wait for one subscriber; beyond it they are dropped and it gets a new snapshot."""
    downlink_in_flight: int = 20

    retry_first: float = 0.05
    """First pause after the journal was unavailable; doubles up to `retry_most`."""
    retry_most: float = 1.0
    sweep: float = 1.0
    """How often time-outs are looked at."""
    listening_report: float = 5.0
    stop_within: float = 2.0
