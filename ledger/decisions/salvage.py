"""After a data error: apply again part by part, each within a savepoint, and keep what can be kept.

A savepoint alone would not do where a reading or a request is to blame. Its record is left out by every replay from
now on, so whatever was decided after it may be decided otherwise without it (a refill that was not one, and the need
of the cycle that it opened; the fiftieth need of a burst at another site). So the rest of the transaction does not
commit: what comes before the record does, the record is set aside in the same transaction, and the worker takes its
state back and folds the rest again. The ledger's offset never passes a record that it sets aside.
"""

from collections.abc import Sequence

from ledger.change import Change
from ledger.decisions import ownership, poison
from ledger.decisions.apply import apply_alone
from ledger.decisions.data_errors import is_data_error, reason_of
from ledger.decisions.refused import refused
from models.effects import Decision
from models.stores import Blame, Part, Skip


class _LeftOut(Exception):
    """Unwinds to the savepoint before the part whose record is to blame."""

    def __init__(self, skip: Skip) -> None:
        super().__init__(skip.reason)
        self.skip = skip


def salvage(change: Change, partition: int, epoch: int, parts: Sequence[Part], blame: Blame) -> Skip | None:
    """Raises Fenced. The record that was set aside, and nothing behind it was written; None: all that can be is."""
    tx = change.tx
    ownership.check(tx, partition, epoch)
    for number, part in enumerate(parts):
        try:
            with tx.begin_nested():
                ownership.advance(tx, partition, epoch, part.through)
                _part(change.fork(), number, part, blame)
        except _LeftOut as left:
            poison.set_aside(change, partition, left.skip)
            return left.skip
    return None


def _part(change: Change, number: int, part: Part, blame: Blame) -> None:
    for decision in part.decisions:
        change = _tried(change, number, decision, blame)
    change.finish()


def _tried(change: Change, number: int, decision: Decision, blame: Blame) -> Change:
    """The change with the decision, or with what stands for it."""
    trial = change.fork()
    try:
        with change.tx.begin_nested():
            apply_alone(trial, decision)
    except Exception as error:
        if not is_data_error(error):
            raise
        reason = reason_of(decision, error)
        skip = blame(number, decision, reason)
        if skip is not None:
            raise _LeftOut(skip) from error
        refused(change, decision, reason)
        return change
    return trial
