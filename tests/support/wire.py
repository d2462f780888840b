"""Between the simulated devices and the product, in one process: the gateway without its sockets."""

from devices_sim.truth import Reading
from devices_sim.world.world import Machine, World
from ingest.config import GatewayConfig
from ingest.decoders import DECODERS
from ingest.frames import Resolver, Row, build
from ingest.limits import Rejected
from ingest.quarantine import RefusedBound
from journal import codec
from ledger.directory import LedgerDirectory
from tests.support.whole import PARTITION, Whole


class Port:
    """One device's connection."""

    def __init__(self, machine: Machine, directory: LedgerDirectory) -> None:
        identity = directory.lookup(machine.device.site.account, machine.device.name)
        assert identity is not None, machine.device.key
        limits = GatewayConfig()
        self.machine, self.number = machine, identity.device_id
        self.decode, self.resolver = DECODERS["readings"](), Resolver(identity)
        self.refused = RefusedBound(limits.refused_per_minute, limits.raw_kept)
        self.boots = machine.state.boots
        self.up = False


class Wire:
    """`carry` brings what waits into the journal, and only then acknowledges it."""

    def __init__(self, product: Whole, world: World) -> None:
        self.product, self.world = product, world
        directory = LedgerDirectory(product.stores.ledger)
        self.ports = [Port(machine, directory) for machine in world.machines]

    def carry(self, now: int) -> None:
        rows: list[Row] = []
        records: list[tuple[int, bytes]] = []
        came: list[Reading] = []
        for port in self.ports:
            self._connect(port, rows, now)
            while port.up and port.machine.queue:
                queue = port.machine.queue
                reading = queue.pop() if port.machine.state.newest_first else queue.popleft()
                came.append(reading)
                records += self.take(port, reading, rows, now)
        self.product.append([(PARTITION, frame) for frame in build(rows)] + records)
        for reading in came:
            self.world.acknowledged(reading)
        self.world.save()

    def take(self, port: Port, reading: Reading, rows: list[Row], now: int) -> list[tuple[int, bytes]]:
        """A row, or the records of what is refused."""
        raw = reading.payload
        said = port.decode(raw)
        row = said if isinstance(said, Rejected) else port.resolver.row(said, raw, now)
        if not isinstance(row, Rejected):
            rows.append(row)
            return []
        records = port.refused.records(port.number, row, raw, now, now / 1000)
        return [(PARTITION, codec.encode_refused(record)) for record in records]

    def _connect(self, port: Port, rows: list[Row], now: int) -> None:
        """A lost network and a reboot end the connection in the middle: the device's last will is told."""
        online, boots = self.world.online(port.machine.device.index), port.machine.state.boots
        if port.up and (not online or port.boots != boots):
            self.world.counts.deaths += 1
            rows.append(port.resolver.offline(now))
        port.up, port.boots = online, boots
