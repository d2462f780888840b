"""What the gateway counts. Names are listed in docs/reference/metrics.md."""

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram


class GatewayMetrics:
    """One set of metrics in one registry; tests give their own registry."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self.connections = Gauge("ullage_gateway_connections", "Authenticated connections", registry=registry)
        self.half_open = Gauge("ullage_gateway_half_open", "Connections before authentication", registry=registry)
        self.connects = Counter(
            "ullage_gateway_connects", "CONNECT packets by outcome (an MQTT 5 reason)", ["reason"], registry=registry
        )
        self.disconnects = Counter(
            "ullage_gateway_disconnects", "Ended connections by cause", ["cause"], registry=registry
        )
        self.accepted = Counter("ullage_gateway_accepted", "Readings that became durable", registry=registry)
        self.refused = Counter("ullage_gateway_refused", "Refused messages by code", ["code"], registry=registry)
        self.refused_unkept = Counter(
            "ullage_gateway_refused_unkept", "Refused messages beyond a device's bound, not kept", registry=registry
        )
        self.foreign = Counter("ullage_gateway_foreign_topics", "Messages to a topic of another", registry=registry)
        self.bytes = Counter("ullage_gateway_received_bytes", "Bytes read from devices", registry=registry)
        self.pending = Gauge("ullage_gateway_pending", "Messages that are not yet durable", registry=registry)
        self.paused = Gauge("ullage_gateway_paused", "1 while the journal takes nothing", registry=registry)
        self.commit_seconds = Histogram(
            "ullage_gateway_commit_seconds",
            "From the first reading of a batch until it was durable",
            buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
            registry=registry,
        )
        self.commit_readings = Histogram(
            "ullage_gateway_commit_readings",
            "Messages in one commit",
            buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000),
            registry=registry,
        )
        self.downlink = Counter("ullage_gateway_downlink", "Messages sent to devices", ["topic"], registry=registry)
        self.downlink_dropped = Counter(
            "ullage_gateway_downlink_dropped", "Messages dropped for slow or small subscribers", registry=registry
        )
