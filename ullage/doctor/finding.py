"""What a rule says."""

from enum import StrEnum
from typing import NamedTuple


class Verdict(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"

    @property
    def code(self) -> int:
        """As an exit code."""
        return ("ok", "warn", "fail").index(self)


class Finding(NamedTuple):
    verdict: Verdict
    rule: str  # one word: "disk"
    text: str  # what is the case
    todo: str = ""  # what to do; "" where it is fine


def ok(rule: str, text: str) -> Finding:
    return Finding(Verdict.OK, rule, text)


def warn(rule: str, text: str, todo: str) -> Finding:
    return Finding(Verdict.WARN, rule, text, todo)


def fail(rule: str, text: str, todo: str) -> Finding:
    return Finding(Verdict.FAIL, rule, text, todo)
