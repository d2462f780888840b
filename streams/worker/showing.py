"""What is only shown (views, usage) follows the decisions, a little at a time: no other writer waits long for it.

It is absolute, so what waits is bounded by the number of slots: under load a newer view takes the place of one that
waits. It may be lost: a checkpoint is not saved before all of it is written, and whoever replays from there decides it
again.
"""

from collections.abc import Hashable, Mapping, Sequence

from models.effects import Shown


class Waiting:
    """Of each slot (and day) the newest, those first that wait longest."""

    def __init__(self) -> None:
        self._rows: dict[Hashable, Shown] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, shown: Mapping[Hashable, Shown]) -> None:
        self._rows.update(shown)  # a key that is there keeps its place

    def first(self, most: int) -> Sequence[tuple[Hashable, Shown]]:
        return [row for row, _ in zip(self._rows.items(), range(most), strict=False)]

    def written(self, rows: Sequence[tuple[Hashable, Shown]]) -> None:
        for key, _ in rows:
            del self._rows[key]


class Pace:
    """All partitions of a worker together show things for a `share` of the time at most."""

    LONGEST = 0.1  # s; who waited long for the ledger need not wait that long again

    def __init__(self, share: float) -> None:
        self._pause = 1 / share - 1
        self.free = float("-inf")
        """From when on (monotonic seconds) the next few rows may be written."""

    def begin(self, now: float) -> None:
        """The others do not begin meanwhile."""
        self.free = now + self.LONGEST

    def end(self, began: float, now: float) -> None:
        self.free = now + min(self.LONGEST, self._pause * (now - began))
