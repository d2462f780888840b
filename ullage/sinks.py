"""Where the outbox's facts and requests go: into the journal."""

from collections.abc import Sequence

from journal.codec import wrap
from models import records
from models.outbox import ALL, Kind, OutboxRow
from models.stores import Journal

_KINDS = {Kind.FACT: records.Kind.FACT, Kind.REQUEST: records.Kind.REQUEST}


class JournalSink:
    """Appends all rows of a batch in one commit. Implements models.outbox.Sink."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def deliver(self, rows: Sequence[OutboxRow]) -> None:
        values = [(row, wrap(_KINDS[row.kind], row.payload)) for row in rows]
        self._journal.append([(partition, value) for row, value in values for partition in self._partitions(row)])

    def _partitions(self, row: OutboxRow) -> Sequence[int]:
        everywhere = range(self._journal.partitions)
        return everywhere if row.partition == ALL else (row.partition,)
