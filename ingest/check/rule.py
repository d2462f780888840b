"""What a rule is: it sees events, and says in the end whether the device kept to it, by what, and what to do."""

from enum import StrEnum
from typing import ClassVar, NamedTuple

from ingest.check.events import Event


class Verdict(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    NOT_SEEN = "not seen"


class Finding(NamedTuple):
    rule: str
    verdict: Verdict
    demands: str
    evidence: tuple[str, ...]
    todo: str  # empty when it passed


class Rule:
    """One demand. Subclasses watch for what keeps to it (`kept`) and for what does not (`broken`)."""

    name: ClassVar[str]
    demands: ClassVar[str]
    todo: ClassVar[str]
    provoke: ClassVar[str] = ""
    """What has to happen for the rule to be seen at all."""
    live: ClassVar[bool] = False
    """It can be judged from the journal alone."""
    MOST: ClassVar[int] = 5
    """Pieces of evidence that are shown."""

    def __init__(self) -> None:
        self._kept: list[str] = []
        self._broken: list[str] = []

    def see(self, event: Event) -> None:
        raise NotImplementedError

    def end(self) -> None:
        """Nothing more comes: what is still owed is broken."""

    def kept(self, evidence: str) -> None:
        if not self._kept:
            self._kept.append(evidence)

    def broken(self, evidence: str) -> None:
        if len(self._broken) < self.MOST and evidence not in self._broken:
            self._broken.append(evidence)

    @property
    def verdict(self) -> Verdict:
        if self._broken:
            return Verdict.FAILED
        return Verdict.PASSED if self._kept else Verdict.NOT_SEEN

    def finding(self) -> Finding:
        todo = {Verdict.PASSED: "", Verdict.FAILED: self.todo, Verdict.NOT_SEEN: self.provoke}[self.verdict]
        return Finding(self.name, self.verdict, self.demands, tuple(self._broken or self._kept), todo)
