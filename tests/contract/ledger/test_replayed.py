"""What a replay is compared with, as the ledger keeps it."""

import msgspec

from ledger import outbox
from ledger.engine import Ledger
from ledger.views.replayed import reached, untold_needs, written_views
from models.facts import NeedFact, NeedState, StockFact
from models.outbox import Kind


def test_needs_whose_end_waits_in_the_outbox(ledger: Ledger) -> None:
    with ledger.write() as tx:
        for number, fact in enumerate(
            [
                NeedFact(version=1, slot=9, cycle=1, attempt=2, state=NeedState.MET),
                StockFact(version=1, site=1, product=1, on_hand=3.0),
            ]
        ):
            outbox.put(tx, Kind.FACT, f"any/{number}", msgspec.msgpack.encode(fact), key=f"any/{number}")
    with ledger.read() as tx:
        assert untold_needs(tx) == {(9, 1, 2)}


def test_an_empty_ledger_has_reached_nothing(ledger: Ledger) -> None:
    with ledger.read() as tx:
        assert reached(tx, 0) == 0
        assert written_views(tx, 0, 4) == {}
