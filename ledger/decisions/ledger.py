"""DecisionLedger on SQL: one transaction per call, guarded by epoch and offset."""

from collections.abc import Sequence

from sqlalchemy import select

from ledger import meta
from ledger.change import Change
from ledger.decisions import due, ownership, poison, show
from ledger.decisions.apply import apply_all
from ledger.decisions.data_errors import is_data_error, told_as_bad
from ledger.decisions.salvage import salvage
from ledger.engine import Ledger
from ledger.rules import Rules
from ledger.tables import need
from models.effects import Decision, Shown
from models.facts import NeedState
from models.stores import Blame, Claim, DecisionLedger, Part, Skip


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

    def apply(self, partition: int, epoch: int, through: int, now: int, decisions: Sequence[Decision]) -> None:
        with self._ledger.write() as tx:
            if not ownership.advance(tx, partition, epoch, through):
                return
            change = Change(tx, now, "step", self._rules)
            apply_all(change, decisions)
            with told_as_bad():
                change.by = "clock"
                due.fire(change, partition, self._partitions)

    def salvage(
        self, partition: int, epoch: int, through: int, now: int, parts: Sequence[Part], blame: Blame
    ) -> Skip | None:
        with self._ledger.write() as tx:
            change = Change(tx, now, "step", self._rules)
            skip = salvage(change, partition, epoch, parts, blame)
            if skip is None:
                ownership.advance(tx, partition, epoch, through)
                change.by = "clock"
                due.fire_each(change, partition, self._partitions)
            return skip

    def show(self, partition: int, epoch: int, through: int, now: int, shown: Sequence[Shown]) -> None:
        rows = show.Rows(shown)
        try:
            with self._ledger.write() as tx:
                ownership.advance(tx, partition, epoch, through)
                rows.write(tx)
        except Exception as error:
            if not is_data_error(error):
                raise
            with self._ledger.write() as tx:
                ownership.advance(tx, partition, epoch, through)
                show.write_each(Change(tx, now, "step", self._rules), shown)

    def has_due(self, partition: int, now: int) -> bool:
        with self._ledger.read() as tx:
            return due.exists(tx, partition, self._partitions, now)

    def skipped(self, partition: int) -> frozenset[tuple[int, int]]:
        with self._ledger.read() as tx:
            return poison.skipped(tx, partition)

    def skip(self, partition: int, epoch: int, now: int, skip: Skip) -> None:
        with self._ledger.write() as tx:
            ownership.check(tx, partition, epoch)
            poison.set_aside(Change(tx, now, "step", self._rules), partition, skip)

    def open_needs(self, partition: int) -> set[tuple[int, int, int]]:
        with self._ledger.read() as tx:
            rows = tx.execute(
                select(need.c.slot_id, need.c.cycle, need.c.attempt).where(
                    need.c.state == NeedState.OPEN, need.c.shard % self._partitions == partition
                )
            )
            return {(row.slot_id, row.cycle, row.attempt) for row in rows}
