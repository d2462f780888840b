import resource

import pytest

from devices_sim import limits
from devices_sim.errors import BadState


class Limit:
    """The process's limit of open files, without touching that of the tests."""

    def __init__(self, soft, hard):
        self.now = (soft, hard)

    def getrlimit(self, which):
        assert which == resource.RLIMIT_NOFILE
        return self.now

    def setrlimit(self, which, both):
        assert which == resource.RLIMIT_NOFILE
        self.now = both


@pytest.mark.parametrize(
    ("soft", "hard", "then"),
    [
        (1_024, 4_096, 2_256),
        (1_024, resource.RLIM_INFINITY, 2_256),
        (3_000, 4_096, 3_000),
        (resource.RLIM_INFINITY, resource.RLIM_INFINITY, resource.RLIM_INFINITY),
    ],
)
def test_the_limit_is_raised_as_far_as_needed(monkeypatch, soft, hard, then):
    limit = Limit(soft, hard)
    for name in ("getrlimit", "setrlimit"):
        monkeypatch.setattr(limits.resource, name, getattr(limit, name))
    assert limits.allow_files(2_000) == then
    assert limit.now == (then, hard)


def test_a_hard_limit_that_is_too_low_says_what_to_do(monkeypatch):
    monkeypatch.setattr(limits.resource, "getrlimit", Limit(1_024, 4_096).getrlimit)
    with pytest.raises(BadState, match=r"20000 devices need 20256 open files, but .* 4096 at most: `ulimit -Hn 20256`"):
        limits.allow_files(20_000)
