"""Deliver the outbox: at least once, in order per aggregate, with back-off, and a dead letter instead of a blockade."""

import asyncio
import random
import socket
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import structlog
from sqlalchemy import Connection, update

from ledger import outbox
from ledger.clock import real_ms
from ledger.engine import Ledger, insert_new
from ledger.ready import mark_ready
from ledger.tables import event, purchase_order, task
from models.outbox import Kind, OutboxRow, Sink, Unsent, Verdict
from models.stores import StoreError, Unavailable

log = structlog.get_logger()

JOURNAL: Final = frozenset({Kind.FACT, Kind.REQUEST})  # for ever tried again: the journal is ours
JOURNAL_BATCH: Final = 2_000
OUTSIDE_BATCH: Final = 8  # at once, each of another aggregate, each in a thread
OUTSIDE_JOBS: Final = 4  # batches of one kind at once: a slow receiver holds up its own only
MAX_ATTEMPTS: Final = 20  # with the back-off below: about three hours
POLL_S: Final = 0.025


@dataclass(frozen=True, slots=True)
class Backoff:
    first_ms: int
    longest_ms: int

    def after(self, attempts: int) -> int:
        """How long to wait after so many attempts: doubling, the upper half of it by chance."""
        whole = min(self.longest_ms, self.first_ms << min(attempts, 30))
        return int(whole * (0.5 + random.random() / 2))  # noqa: S311 - spreads retries, hides nothing


FOR_JOURNAL = Backoff(50, 5_000)
FOR_OUTSIDE = Backoff(1_000, 900_000)


class Deliverer:
    """One process's delivery. `sinks`: who takes which kind; kinds without a sink wait."""

    def __init__(
        self,
        ledger: Ledger,
        sinks: Mapping[Kind, Sink],
        *,
        owner: str = "",
        max_attempts: int = MAX_ATTEMPTS,
        real_now: Callable[[], int] = real_ms,
        now: Callable[[], int] = real_ms,
    ) -> None:
        """`owner` names this process for leases, the same after a restart; `now` is domain time, for events."""
        self._ledger = ledger
        self._sinks = sinks
        self._owner = owner or f"deliver@{socket.gethostname()}"
        self._max_attempts = max_attempts
        self._real_now = real_now
        self._now = now

    def start(self) -> int:
        """Take back what an earlier life of this process held; how many rows."""
        with self._ledger.write() as tx:
            return outbox.release(tx, self._owner)

    def due(self) -> list[Kind]:
        """Kinds of which something can be delivered now."""
        now = self._real_now()
        with self._ledger.read() as tx:
            return [kind for kind in self._sinks if outbox.has_due(tx, [kind], now)]

    def once(self, kind: Kind) -> int:
        """Claim a batch of one kind and deliver it; how many rows went."""
        limit = JOURNAL_BATCH if kind in JOURNAL else OUTSIDE_BATCH
        with self._ledger.write() as tx:
            rows = outbox.claim(tx, self._owner, [kind], self._real_now(), limit)
        if kind in JOURNAL or len(rows) < 2:
            return self._attempt(rows) if rows else 0
        with ThreadPoolExecutor(len(rows), thread_name_prefix="deliver") as pool:
            return sum(pool.map(lambda row: self._attempt([row]), rows))

    def _attempt(self, rows: Sequence[OutboxRow]) -> int:
        try:
            self._sinks[rows[0].kind].deliver(rows)
        except Unavailable as error:
            self._failed(rows, error, maybe_sent=not isinstance(error, Unsent))
            return 0
        except StoreError as error:  # Rejected, or a fault that is the row's own
            if len(rows) > 1:
                return sum(self._attempt([row]) for row in rows)
            self._dead(rows[0], error, Verdict.UNKNOWN if rows[0].maybe_sent else Verdict.REFUSED)
            return 0
        with self._ledger.write() as tx:
            outbox.settle_delivered(tx, rows, self._real_now())
            _sent(tx, rows, self._real_now())
            if rows[0].kind is Kind.FACT:
                mark_ready(tx)
        log.debug("outbox.delivered", kind=rows[0].kind, rows=len(rows))
        return len(rows)

    def _failed(self, rows: Sequence[OutboxRow], error: StoreError, *, maybe_sent: bool) -> None:
        kind = rows[0].kind
        again = [row for row in rows if kind in JOURNAL or row.attempts + 1 < self._max_attempts]
        backoff = FOR_JOURNAL if kind in JOURNAL else FOR_OUTSIDE
        if again:  # of a journal's batch all come again together; of the rest there is only one
            at = self._real_now() + backoff.after(again[0].attempts)
            with self._ledger.write() as tx:
                outbox.settle_failed(tx, again, str(error), at, maybe_sent=maybe_sent)
        log.warning("outbox.failed", kind=kind, rows=len(rows), attempts=rows[0].attempts + 1, error=str(error))
        for row in rows:
            if row not in again:
                self._dead(row, error, Verdict.UNKNOWN if row.maybe_sent or maybe_sent else Verdict.UNSENT)

    def _dead(self, row: OutboxRow, error: StoreError, verdict: Verdict) -> None:
        """It stays where people see it, with a task that says what to do."""
        what = {
            Verdict.REFUSED: "it was refused: correct the cause and retry it, or fail the order",
            Verdict.UNSENT: "it surely did not arrive: retry it, or fail the order",
        }.get(verdict, "it may have arrived: ask the other side before anything else")
        with self._ledger.write() as tx:
            outbox.settle_dead(tx, row, str(error), verdict, self._real_now())
            text = f"{row.kind} {row.aggregate} could not be delivered ({error}); {what}"
            key = f"dead_letter/{row.id}/{self._real_now()}"
            opened = {"kind": "dead_letter", "subject": f"outbox/{row.id}", "text": text, "key": key}
            insert_new(tx, task, opened | {"opened": self._now()})
            data = {"row": row.id, "aggregate": row.aggregate, "verdict": str(verdict), "error": str(error)}
            tx.execute(event.insert().values(kind="outbox.dead", subject=row.aggregate, data=data, ts=self._now()))
        log.error("outbox.dead", id=row.id, kind=row.kind, aggregate=row.aggregate, verdict=verdict, error=str(error))


def deliver_once(ledger: Ledger, sinks: Mapping[Kind, Sink], real_now: int) -> int:
    """One batch of each kind that is due; how many rows went. For tests and tools; `run` is the role."""
    deliverer = Deliverer(ledger, sinks, real_now=lambda: real_now, now=lambda: real_now)
    return sum(deliverer.once(kind) for kind in deliverer.due())


async def run(
    ledger: Ledger,
    sinks: Mapping[Kind, Sink],
    stop: asyncio.Event,
    *,
    owner: str = "",
    now: Callable[[], int] = real_ms,
    poll_s: float = POLL_S,
) -> None:
    """Look into the outbox every `poll_s` until `stop` is set. A slow receiver of one kind holds up no other kind."""
    deliverer = Deliverer(ledger, sinks, owner=owner, now=now)
    jobs: dict[asyncio.Task[int], Kind] = {}
    waiting = started = False
    while not stop.is_set():
        try:
            if not started:
                await asyncio.to_thread(deliverer.start)
                started = True
            for kind in await asyncio.to_thread(deliverer.due):
                if list(jobs.values()).count(kind) < (1 if kind in JOURNAL else OUTSIDE_JOBS):
                    jobs[asyncio.create_task(asyncio.to_thread(deliverer.once, kind))] = kind
            for job in [job for job in jobs if job.done()]:
                del jobs[job]
                job.result()
            waiting = False
        except Unavailable as error:  # leases end, and rows come again
            if not waiting:
                log.warning("outbox.waits", error=str(error))
            waiting = True
        journal_jobs = [job for job, kind in jobs.items() if kind in JOURNAL]
        if journal_jobs:  # the next batch follows at once
            await asyncio.wait(journal_jobs, timeout=poll_s)
        else:
            await _pause(stop, poll_s)
    await asyncio.gather(*jobs, return_exceptions=True)


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return


def _sent(tx: Connection, rows: Sequence[OutboxRow], real_now: int) -> None:
    """A purchase order remembers when the supplier's end took it."""
    for row in rows:
        noun, _, number = row.aggregate.partition("/")
        if row.kind is Kind.PURCHASE_ORDER and noun == "purchase_order" and number.isdecimal():
            mine = (purchase_order.c.id == int(number), purchase_order.c.sent_at.is_(None))
            tx.execute(update(purchase_order).where(*mine).values(sent_at=real_now))
