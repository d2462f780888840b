"""Every verb as one call: opens the transaction, checks the scope, sends the facts."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from ledger.change import Change
from ledger.engine import Ledger
from ledger.orders.deliver import deliver
from ledger.rules import Rules
from ledger.scope import Scope
from models.orders import OrderState


class Orders:
    """`by` is a person or "supplier/3"; `now` is domain time in ms; quantities are packs by line number.

    All raise NotFound for what the scope may not see, NotAllowed where the state of the order does not take it."""

    def __init__(self, ledger: Ledger, rules: Rules | None = None) -> None:
        self._ledger = ledger
        self._rules = rules or Rules()

    @contextmanager
    def _change(self, by: str, now: int) -> Iterator[Change]:
        with self._ledger.write() as tx:
            change = Change(tx, now, by, self._rules)
            yield change
            change.finish()

    def deliver(
        self,
        scope: Scope,
        number: int,
        quantities: Mapping[int, int],
        *,
        by: str,
        now: int,
        key: str = "",
        supplier_id: int | None = None,
    ) -> OrderState:
        with self._change(by, now) as change:
            return deliver(change, scope, number, quantities, key=key, supplier_id=supplier_id)
