"""The whole product in one process on a virtual clock: real stores, worker, outbox and API, no socket and no waiting.

`turn` is what a moment brings to every role: a tick into the journal, what is there folded and written to the ledger,
the outbox delivered. Domain time passes only by it, so a run decides the same on any machine, however busy.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from api.app import create_app
from api.services import Services
from ingest.release import Quarantine
from journal import codec
from ledger import tokens
from ledger.deliver import Deliverer
from ledger.orders import Orders
from ledger.roles import Role
from models.outbox import Kind, OutboxRow, Sink
from models.records import Tick
from streams.worker.config import WorkerConfig
from streams.worker.logic import this_logic
from streams.worker.ports import Clocks, Stores
from streams.worker.recovery import Recovered, recover
from tests.support.fleet_world import FleetWorld, opened
from ullage.sinks import JournalSink

PARTITION = 0
PAGE = 2_000
ROUNDS = 100
"""What follows from what, within a moment: facts from needs, orders from facts. More would never end."""


def _never(seconds: float) -> None:
    raise AssertionError(f"a store was away, and the worker would wait for {seconds} s")


class Nobody:
    """Takes purchase orders until somebody does."""

    def deliver(self, rows: Sequence[OutboxRow]) -> None:
        raise AssertionError(f"nobody takes {rows}")


class Whole:
    """A running product of one partition; `now` is domain time, ms."""

    def __init__(self, stores: FleetWorld, now: int) -> None:
        self.stores, self.now = stores, now
        self.suppliers: Sink = Nobody()
        self._worker = self._recovered()
        services = Services(
            stores.ledger,
            Orders(stores.ledger),
            stores.series,
            Quarantine(stores.ledger, stores.journal),
            lambda: self.now,
            lambda: self.now,
            answer_within_s=0.0,
        )
        self.app = create_app(services)
        self.started = now

    def token(self) -> str:
        """A new operator token's secret."""
        with self.stores.ledger.write() as tx:
            return tokens.create(tx, "world", Role.OPERATOR, self.now, accounts=None).secret

    def turn(self, now: int) -> None:
        """Everything that the roles do once it is `now`."""
        listened, self.now = max(now - self.now, 0), now
        self.append([(PARTITION, codec.encode_tick(Tick(now, listened)))])
        for _ in range(ROUNDS):
            self.fold()
            if not self.deliver():
                return
        raise AssertionError("the outbox never became empty")

    def append(self, records: Sequence[tuple[int, bytes]]) -> None:
        self.stores.journal.append(records)

    def fold(self) -> None:
        """What is in the journal, and what it decides into the ledger."""
        folder, committer = self._worker.folder, self._worker.committer
        while records := self.stores.journal.read(PARTITION, folder.offset, PAGE):
            batch = folder.batch()
            folder.feed(records, batch)
            committer.commit(batch)
        while committer.waiting:
            committer.show()

    def deliver(self) -> int:
        """What the outbox holds; how many rows went."""
        facts = JournalSink(self.stores.journal)
        sinks: dict[Kind, Sink] = {Kind.FACT: facts, Kind.REQUEST: facts, Kind.PURCHASE_ORDER: self.suppliers}
        deliverer = Deliverer(self.stores.ledger, sinks, real_now=lambda: self.now, now=lambda: self.now)
        return sum(deliverer.once(kind) for kind in deliverer.due())

    def _recovered(self) -> Recovered:
        world = self.stores
        stores = Stores(world.journal, world.decisions, world.state, world.series)
        clocks = Clocks(lambda: self.now / 1000, lambda: self.now, _never)
        config = WorkerConfig(world.broker, world.folder / "faust")
        return recover(PARTITION, stores, this_logic(), config, clocks, lambda: None)


@contextmanager
def whole(folder: Path, now: int, kind: type[Whole] = Whole) -> Iterator[Whole]:
    """A new installation at domain time `now`; `kind` may be one that is broken."""
    with opened(folder) as stores:
        yield kind(stores, now)
