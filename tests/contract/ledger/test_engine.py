"""Transactions: all or nothing, from several threads and processes."""

import multiprocessing
import threading
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from ledger import engine, meta
from ledger.engine import Ledger, insert_new, open_ledger, upsert
from ledger.tables import account, counter, skipped
from ledger.tables import meta as meta_table
from models.stores import StoreError, Unavailable


def test_an_exception_rolls_back(ledger: Ledger) -> None:
    def fail() -> None:
        with ledger.write() as tx:
            meta.put(tx, "a", "1")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with ledger.read() as tx:
        assert meta.get(tx, "a") is None


def test_a_closed_ledger_opens_again(ledger: Ledger) -> None:
    for value in ("1", "2"):
        with ledger.write() as tx:
            meta.put(tx, "a", value)
        ledger.close()
    with ledger.read() as tx:
        assert meta.get(tx, "a") == "2"


def test_upsert_keeps_what_it_is_told_to_keep(ledger: Ledger) -> None:
    row = {"partition": 1, "offset": 7, "index": -1, "code": "old", "reason": "old"}
    with ledger.write() as tx:
        upsert(tx, skipped, [row], on=["partition", "offset", "index"])
        upsert(
            tx, skipped, [row | {"code": "new", "reason": "new"}], on=["partition", "offset", "index"], keep=["code"]
        )
        assert tx.execute(select(skipped.c.code, skipped.c.reason)).one() == ("old", "new")


def test_insert_new_says_whether_it_was(ledger: Ledger) -> None:
    with ledger.write() as tx:
        assert insert_new(tx, meta_table, {"key": "a", "value": "1"})
        assert not insert_new(tx, meta_table, {"key": "a", "value": "2"})
        assert meta.get(tx, "a") == "1"


def test_money_is_exact_and_adds_up_in_sql(ledger: Ledger) -> None:
    with ledger.write() as tx:
        for number in range(3):
            values = {"name": f"a{number}", "currency": "EUR", "limit_per_order": Decimal("0.1"), "created": 0}
            tx.execute(account.insert().values(values))
        assert tx.scalar(select(func.sum(account.c.limit_per_order))) == Decimal("0.3")
        with pytest.raises(Exception, match="four places"):
            tx.execute(account.update().values(limit_per_order=Decimal("0.00001")))


def test_a_reader_sees_one_snapshot(ledger: Ledger) -> None:
    with ledger.read() as before:
        assert meta.get(before, "a") is None
        with ledger.write() as tx:
            meta.put(tx, "a", "1")
        assert meta.get(before, "a") is None
    with ledger.read() as after:
        assert meta.get(after, "a") == "1"


def test_threads_take_turns(ledger: Ledger) -> None:
    def work() -> None:
        for _ in range(20):
            with ledger.write() as tx:
                meta.count(tx, "n")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with ledger.read() as tx:
        assert tx.scalar(select(counter.c.value)) == 80


def _count(url: str, times: int) -> None:
    ledger = open_ledger(url)
    for _ in range(times):
        with ledger.write() as tx:
            meta.count(tx, "n")
    ledger.close()


def test_processes_take_turns(url: str, ledger: Ledger) -> None:
    spawn = multiprocessing.get_context("spawn")
    processes = [spawn.Process(target=_count, args=(url, 100)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    with ledger.read() as tx:
        assert tx.scalar(select(counter.c.value)) == 200


def test_a_locked_ledger_is_unavailable(url: str, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    if ledger.engine.dialect.name != "sqlite":
        pytest.skip("other databases lock rows, not the whole file")
    monkeypatch.setattr(engine, "PATIENCE_S", 0.05)
    other = open_ledger(url)
    with ledger.write() as tx:
        meta.put(tx, "a", "1")
        with pytest.raises(Unavailable, match=r"locked.*try again"), other.write():
            pass
        with other.read() as reader:  # readers never wait
            assert meta.get(reader, "a") is None
    with other.write() as tx:  # and the next one gets its turn
        meta.put(tx, "a", "2")
    other.close()


def test_a_url_that_nobody_understands() -> None:
    with pytest.raises(StoreError, match="nodb"):
        open_ledger("nodb://host/x")


def test_the_number_of_partitions_stays(ledger: Ledger) -> None:
    with ledger.write() as tx:
        meta.settle_partitions(tx, 8)
        meta.settle_partitions(tx, 8)
        assert meta.layout(tx) == (1, 8)
        assert meta.new_incarnation(tx) == 2
        with pytest.raises(meta.WrongLayout, match="8 partitions"):
            meta.settle_partitions(tx, 4)
