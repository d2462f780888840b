"""Role `worker`: journal -> decisions."""

from contextlib import closing
from pathlib import Path

from ledger.decisions.ledger import LedgerDecisions
from streams.worker.config import WorkerConfig
from streams.worker.logic import this_logic
from streams.worker.run import run_worker
from ullage import compose
from ullage.role import Role
from ullage.roles.common import instance


async def main(role: Role) -> None:
    s = role.settings
    config = WorkerConfig(
        broker=s.journal,
        datadir=Path(s.data) / "faust",
        owner=instance(role),
        checkpoint_readings=s.checkpoint_readings,
        checkpoint_interval=s.checkpoint_every.total_seconds(),
        accept_logic=s.accept_logic,
        keep_journal_ms=int(s.journal_keep.total_seconds() * 1000),
        keep_journal_bytes=s.journal_most,
    )
    with (
        closing(compose.journal_of(s)) as journal,
        closing(compose.ledger_of(s)) as ledger,
        closing(compose.state_of(s)) as state,
        closing(compose.series_of(s)) as series,
    ):
        decisions = LedgerDecisions(ledger, partitions=journal.partitions, rules=compose.rules_of(s))
        role.healthy = lambda: False  # the worker beats itself, while progress is possible
        await run_worker(
            config,
            journal,
            decisions,
            state,
            series,
            role.stop,
            logic=this_logic(),
            ready=role.ready,
            heartbeat=role.beat,
        )
