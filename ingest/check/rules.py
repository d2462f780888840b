"""All rules, in the order of the report, and the judge that shows them what happens."""

from collections.abc import Sequence

from ingest.check.connections import (
    Alias,
    Connecting,
    Downlink,
    KeepAlive,
    Quality,
    Reconnect,
    Resend,
    Session,
    Topics,
    Window,
)
from ingest.check.events import Event
from ingest.check.messages import BootAndSeq, Clock, Duplicates, Format, Limits, Units
from ingest.check.rule import Finding, Rule, Verdict

RULES: tuple[type[Rule], ...] = (
    Connecting, Topics, Alias, Quality, Window, KeepAlive,
    Format, Limits, Units, BootAndSeq, Clock,
    Reconnect, Resend, Duplicates, Session, Downlink,
)  # fmt: skip


class Judge:
    """Shows each event to every rule."""

    def __init__(self, rules: Sequence[type[Rule]] = RULES) -> None:
        self._rules = [rule() for rule in rules]
        self.events = 0

    def see(self, event: Event) -> None:
        self.events += 1
        for rule in self._rules:
            rule.see(event)

    @property
    def satisfied(self) -> bool:
        """Nothing is left to see."""
        return all(rule.verdict is not Verdict.NOT_SEEN for rule in self._rules)

    def findings(self) -> list[Finding]:
        """The end: nothing more comes."""
        for rule in self._rules:
            rule.end()
        return [rule.finding() for rule in self._rules]


def live_rules() -> tuple[type[Rule], ...]:
    """Those that can be judged from the journal alone."""
    return tuple(rule for rule in RULES if rule.live)
