"""How much refused input of one device is kept: a broken device must not fill the journal."""

from ingest.limits import Rejected
from models.records import Refused


class RefusedBound:
    """At most `per_minute` records of one device a minute; what was left out is told by one record afterwards."""

    __slots__ = ("_count", "_left_out", "_minute", "_per_minute", "_raw_kept")

    def __init__(self, per_minute: int, raw_kept: int) -> None:
        self._per_minute = per_minute
        self._raw_kept = raw_kept
        self._minute = -1
        self._count = 0
        self._left_out = 0

    def records(self, device: int, rejected: Rejected, raw: bytes, now: int, monotonic: float) -> list[Refused]:
        """What to write for this message. `now`: domain ms, kept; `monotonic`: real seconds, for the bound."""
        records = []
        minute = int(monotonic // 60)
        if minute != self._minute:
            records = self.left_out(device, now)
            self._minute, self._count = minute, 0
        self._count += 1
        if self._count > self._per_minute:
            self._left_out += 1
            return records
        records.append(
            Refused(device=device, received=now, code=rejected.code, reason=rejected.reason, raw=raw[: self._raw_kept])
        )
        return records

    def left_out(self, device: int, now: int) -> list[Refused]:
        """The record that tells how many were not kept, if any."""
        if not self._left_out:
            return []
        reason = f"{self._left_out} more messages were refused within a minute and not kept"
        self._left_out = 0
        return [Refused(device=device, received=now, code="not_kept", reason=reason, raw=b"")]

    @property
    def exceeded(self) -> bool:
        return self._count > self._per_minute
