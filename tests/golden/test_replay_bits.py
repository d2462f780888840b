"""The same journal gives the same decisions and state, bit for bit, however it is cut, merged or interrupted."""

import os
import subprocess
import sys
from collections import Counter

import pytest

from models.effects import Need, NeedUnnecessary, RefillSeen, RequestAnswered, UsageBooked
from models.jit import COMPILED
from tests.support import journals

SEEDS = (1, 2, 3)
PROGRAM = """
from tests.support import journals
from models.jit import COMPILED
assert COMPILED is %s
print(journals.digest(*journals.play(journals.write_journal(1, 25))))
"""


@pytest.fixture(scope="module", params=SEEDS)
def journal(request):
    return journals.write_journal(request.param)


@pytest.fixture(scope="module")
def expected(journal):
    return journals.digest(*journals.play(journal))


def test_the_journal_has_something_of_everything(journal):
    effects, _ = journals.play(journal)
    seen = Counter(type(e) for e in effects)
    assert min(seen[Need], seen[RefillSeen], seen[RequestAnswered], seen[UsageBooked], seen[NeedUnnecessary]) > 0
    assert seen[Need] >= 10


@pytest.mark.parametrize("way", [journals.play, journals.play_cut, journals.play_merged, journals.play_interrupted])
def test_ways_to_run_it_agree(journal, expected, way):
    assert journals.digest(*way(journal)) == expected


@pytest.mark.skipif(not COMPILED, reason="numba is missing here: everything is plain Python already")
@pytest.mark.parametrize(
    ("variable", "value", "compiled"),
    [("NUMBA_DISABLE_JIT", "1", False), ("NPY_DISABLE_CPU_FEATURES", "AVX512F AVX512_SKX", True)],
)
def test_without_numba_and_without_wide_vectors_it_is_the_same(variable, value, compiled):
    """In a process of its own: both are read when modules load."""
    ours = journals.digest(*journals.play(journals.write_journal(1, 25)))
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM % compiled],
        env={**os.environ, variable: value},
        capture_output=True,
        text=True,
        check=True,
        timeout=100,
    )
    assert done.stdout.strip() == ours
