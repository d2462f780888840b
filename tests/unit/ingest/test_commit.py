"""Group commit: what shares an append, how long it waits, and who is told when."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field

import pytest
from prometheus_client import CollectorRegistry

from ingest.commit import TOGETHER, Committer
from ingest.config import GatewayConfig
from ingest.frames import Resolver, Row
from ingest.limits import Rejected
from ingest.message import decode
from ingest.metrics import GatewayMetrics
from journal.codec import kind_of
from models.records import Kind, Refused
from tests.support.gateway import until
from tests.support.gateway_fakes import NOW, MemoryJournal, identity
from tests.support.mqtt import reading

LONG = 60.0
"""Seconds: longer than any test, so that what comes did not wait for it."""


@dataclass(eq=False)
class Connection:
    """Who waits for its messages."""

    told: list[tuple[int, int, bytes]] = field(default_factory=list)
    room: asyncio.Event = field(default_factory=asyncio.Event)
    heard: asyncio.Event = field(default_factory=asyncio.Event)

    def durable(self, messages: int, acknowledged: int, acks: bytes) -> None:
        self.told.append((messages, acknowledged, acks))
        self.heard.set()

    def go_on(self) -> None:
        self.room.set()


def row(seq: int) -> Row:
    raw = reading(seq)
    decoded = decode(raw)
    assert not isinstance(decoded, Rejected)
    made = Resolver(identity()).row(decoded, raw, NOW)
    assert not isinstance(made, Rejected)
    return made


def add(committer: Committer, connection: Connection, *seqs: int, partition: int = 0) -> None:
    for seq in seqs:
        committer.batch.rows[partition].append(row(seq))
    committer.added(connection, len(seqs), len(seqs), bytes(seqs))


def committing(test: Callable[[Committer, MemoryJournal], Coroutine[None, None, None]], **config: float) -> None:
    """Run `test` with a committer on a journal in memory."""

    async def main() -> None:
        journal = MemoryJournal()
        failed: list[BaseException] = []
        settings = GatewayConfig(**config)  # type: ignore[arg-type]
        metrics = GatewayMetrics(CollectorRegistry())
        committer = Committer(journal, settings, metrics, lambda _away: None, failed.append)
        try:
            async with asyncio.timeout(5):
                await test(committer, journal)
        finally:
            journal.gate.set()
            assert await committer.close(5)
        assert failed == []

    asyncio.run(main())


def test_a_full_batch_does_not_wait() -> None:
    async def test(committer: Committer, journal: MemoryJournal) -> None:
        one = Connection()
        add(committer, one, 1, 2)
        assert journal.commits == 0
        add(committer, one, 3)
        await one.heard.wait()
        assert one.told == [(3, 3, b"\1\2\3")]

    committing(test, batch=3, linger=LONG)


def test_the_linger_follows_what_a_commit_costs_but_not_beyond_its_bound() -> None:
    bound = 0.02

    async def test(committer: Committer, journal: MemoryJournal) -> None:
        assert committer.linger < bound
        one = Connection()
        journal.gate.clear()
        add(committer, one, 1)
        await asyncio.sleep(0.5)  # the cost of an append on a slow disk
        journal.gate.set()
        await one.heard.wait()
        assert committer.linger == bound
        while committer.linger == bound:  # until quick ones have made it shorter
            one.heard.clear()
            add(committer, one, 2)
            await one.heard.wait()

    committing(test, linger=bound)
    assert GatewayConfig().linger == 0.005


def test_a_connection_is_told_once_for_each_append() -> None:
    async def test(committer: Committer, journal: MemoryJournal) -> None:
        one, two = Connection(), Connection()
        add(committer, one, 1, 2)
        add(committer, two, 3)
        add(committer, one, 4, partition=3)
        await asyncio.gather(one.heard.wait(), two.heard.wait())
        assert one.told == [(3, 3, b"\1\2\4")]
        assert two.told == [(1, 1, b"\3")]
        assert journal.commits == 1
        assert [len(log) for log in journal.logs] == [1, 0, 0, 1]

    committing(test)


def test_what_comes_during_an_append_shares_the_next_one() -> None:
    async def test(committer: Committer, journal: MemoryJournal) -> None:
        one = Connection()
        journal.gate.clear()
        add(committer, one, 1)
        await asyncio.to_thread(until, lambda: journal.calls == 1)
        for seq in (2, 3, 4):
            add(committer, one, seq)
            await asyncio.sleep(0.01)
        assert one.told == []
        journal.gate.set()
        while len(one.told) < 2:
            one.heard.clear()
            await one.heard.wait()
        assert one.told == [(1, 1, b"\1"), (3, 3, b"\2\3\4")]

    committing(test)


def test_batches_that_wait_for_an_append_share_the_next_one() -> None:
    async def test(committer: Committer, journal: MemoryJournal) -> None:
        one, two = Connection(), Connection()
        journal.gate.clear()
        add(committer, one, 1)
        await asyncio.to_thread(until, lambda: journal.calls == 1)
        for seq in range(2, 2 + TOGETHER):
            add(committer, two, seq)
        assert len(two.told) == 0
        journal.gate.set()
        await two.heard.wait()
        assert journal.commits == 2
        assert two.told == [(TOGETHER, TOGETHER, bytes(range(2, 2 + TOGETHER)))]
        assert len(journal.logs[0]) == 2  # one frame each
        assert committer.pending == 0

    committing(test, batch=1)


def test_no_append_holds_more_than_its_bound() -> None:
    async def test(committer: Committer, journal: MemoryJournal) -> None:
        one = Connection()
        journal.gate.clear()
        add(committer, one, 1)
        await asyncio.to_thread(until, lambda: journal.calls == 1)
        for seq in range(2, 3 + 2 * TOGETHER):
            add(committer, one, seq)
        journal.gate.set()
        await asyncio.to_thread(until, lambda: committer.pending == 0)
        assert [told[0] for told in one.told] == [1, TOGETHER, TOGETHER, 1]

    committing(test, batch=1)


def test_refused_input_is_appended_behind_the_readings() -> None:
    async def test(committer: Committer, journal: MemoryJournal) -> None:
        one = Connection()
        refused = Refused(device=1, received=0, code="nul", reason="", raw=b"")
        committer.batch.refused.append((2, refused))
        add(committer, one, 1, partition=2)
        await one.heard.wait()
        assert [kind_of(value) for value in journal.logs[2]] == [Kind.FRAME, Kind.REFUSED]

    committing(test)


def test_tells_who_was_held_when_there_is_room_again() -> None:
    async def test(committer: Committer, journal: MemoryJournal) -> None:
        one, held, gone = Connection(), Connection(), Connection()
        journal.gate.clear()
        add(committer, one, 1, 2, 3)
        assert not committer.full
        add(committer, one, 4)
        assert committer.full
        committer.hold(held)
        committer.hold(gone)
        committer.forget(gone)
        assert not held.room.is_set()
        journal.gate.set()
        await held.room.wait()
        assert not committer.full
        assert not gone.room.is_set()

    committing(test, pending_high=4, pending_low=2)


@pytest.mark.parametrize("count", [500, 501, 1_200])
def test_an_append_holds_frames_of_at_most_500_readings(count: int) -> None:
    async def test(committer: Committer, journal: MemoryJournal) -> None:
        one = Connection()
        for seq in range(count):
            committer.batch.rows[1].append(row(seq))
        committer.added(one, count, count, b"")
        await one.heard.wait()
        assert journal.commits == 1
        assert len(journal.logs[1]) == -(-count // 500)

    committing(test)
