"""A run: consecutive records of one partition that travel through Faust as one message.

Faust costs about 150 us a message whatever is in it. So a transport puts what it has read of a partition into runs
of at most MOST_RECORDS records or MOST_BYTES: nobody waits for a run to fill, a run is what was there. The message's
offset is the run's first offset, its value the run itself (serializer "raw", which hands it through), its key None.
Every transport of ours does so, unless its URL says `runs=0`: then a value is one record's bytes, as in plain Faust.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from models.stores import Record

MOST_RECORDS = 256
MOST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Run:
    first_offset: int
    values: tuple[bytes, ...]

    def __len__(self) -> int:
        return len(self.values)

    @property
    def end(self) -> int:
        """The offset behind the last record."""
        return self.first_offset + len(self.values)

    @property
    def records(self) -> list[Record]:
        return [Record(self.first_offset + i, value) for i, value in enumerate(self.values)]


def runs_of(records: Sequence[Record]) -> list[Run]:
    """Cut consecutive records into bounded runs. A record larger than MOST_BYTES has a run of its own."""
    runs: list[Run] = []
    first = size = 0
    for i, record in enumerate(records):
        if i > first and (i - first == MOST_RECORDS or size + len(record.value) > MOST_BYTES):
            runs.append(_run(records[first:i]))
            first, size = i, 0
        size += len(record.value)
    if records:
        runs.append(_run(records[first:]))
    return runs


def _run(records: Sequence[Record]) -> Run:
    return Run(records[0].offset, tuple(record.value for record in records))
