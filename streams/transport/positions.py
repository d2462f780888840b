"""Where a worker goes on reading: its own checkpoints know, not the broker.

Faust asks a transport for "committed" offsets after every assignment. A transport of ours asks `positions` instead,
an attribute that the worker sets before the app starts: `app.transport.positions = mine`. It asks only after all
handlers of `app.on_partitions_assigned` have returned, so a worker claims and recovers there.
"""

from typing import Protocol

from models.stores import StoreError

TOPIC = "ullage.input"


class Positions(Protocol):
    def position(self, partition: int) -> int:
        """The offset of the next record of `partition` that the worker wants."""


class PositionLost(StoreError):
    """The worker's position is outside of what the journal holds. The transport crashes the app with it."""


def checked(partition: int, position: int, earliest: int, end: int) -> int:
    """`position`, if it is in earliest..end. Raises PositionLost: going on elsewhere would skip or repeat records."""
    if position < earliest:
        raise PositionLost(
            f"partition {partition}: record {position} is next, but the journal begins at {earliest}. Its retention is "
            "shorter than the age of the checkpoint: restore journal, ledger and state of the same time"
        )
    if position > end:
        raise PositionLost(
            f"partition {partition}: record {position} is next, but the journal ends at {end}. It is another one "
            "or an older copy: restore journal, ledger and state of the same time"
        )
    return position
