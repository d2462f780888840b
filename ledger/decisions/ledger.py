"""DecisionLedger on SQL: one transaction per call, guarded by epoch and offset."""

from collections.abc import Sequence

from sqlalchemy import select

from ledger import meta
from ledger.change import Change
from ledger.decisions import due, ownership, poison
from ledger.decisions.apply import apply_all
from ledger.engine import Ledger
from ledger.rules import Rules
from ledger.tables import need
from models.effects import Effect
from models.facts import NeedState
from models.stores import Claim, DecisionLedger


class LedgerDecisions(DecisionLedger):
    """`partitions` must be the journal's, for ever (WrongLayout)."""

    def __init__(self, ledger: Ledger, *, partitions: int, rules: Rules | None = None) -> None:
        self._ledger = ledger
        self._partitions = partitions
        self._rules = rules or Rules()
        with ledger.write() as tx:
            meta.settle_partitions(tx, partitions)

    def claim(self, partition: int, owner: str, journal: str) -> Claim:
        with self._ledger.write() as tx:
            return ownership.claim(tx, partition, owner, journal)

    def apply(self, partition: int, epoch: int, through: int, now: int, effects: Sequence[Effect]) -> None:
        with self._ledger.write() as tx:
            if not ownership.advance(tx, partition, epoch, through):
                return
            change = Change(tx, now, "step", self._rules)
            apply_all(change, effects)
            change.by = "clock"
            due.fire(change, partition, self._partitions)
            change.finish()

    def has_due(self, partition: int, now: int) -> bool:
        with self._ledger.read() as tx:
            return due.exists(tx, partition, self._partitions, now)

    def skipped(self, partition: int) -> frozenset[tuple[int, int]]:
        with self._ledger.read() as tx:
            return poison.skipped(tx, partition)

    def skip(
        self, partition: int, epoch: int, offset: int, index: int, device: int, code: str, reason: str, raw: bytes
    ) -> None:
        with self._ledger.write() as tx:
            ownership.check(tx, partition, epoch)
            poison.skip(tx, partition, offset, index, device, code, reason, raw)

    def open_needs(self, partition: int) -> set[tuple[int, int, int]]:
        with self._ledger.read() as tx:
            rows = tx.execute(
                select(need.c.slot_id, need.c.cycle, need.c.attempt).where(
                    need.c.state == NeedState.OPEN, need.c.shard % self._partitions == partition
                )
            )
            return {(row.slot_id, row.cycle, row.attempt) for row in rows}
