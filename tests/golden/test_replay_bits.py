"""The same journal gives the same decisions and state, bit for bit, however it is cut, merged or interrupted."""

import os
import subprocess
import sys
from collections import Counter

import pytest
from numpy._core._multiarray_umath import __cpu_features__ as features  # private: only to know what to switch off

from models.effects import Need, NeedUnnecessary, RefillSeen, RequestAnswered, UsageBooked
from models.jit import COMPILED
from models.step import parts
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


def played_elsewhere(*, compiled: bool, **environment: str) -> str:
    """The digest of a short journal as a process of its own gets it: what is set is read when modules load."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM % compiled],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=350,
    )
    return done.stdout.strip()


@pytest.fixture(scope="module")
def ours():
    return journals.digest(*journals.play(journals.write_journal(1, 25)))


@pytest.mark.skipif(not COMPILED, reason="numba is missing here: everything is plain Python already")
def test_without_numba_it_is_the_same(ours):
    assert played_elsewhere(compiled=False, NUMBA_DISABLE_JIT="1") == ours


@pytest.mark.slow
@pytest.mark.timeout(400)  # compiles everything for another processor
def test_on_a_processor_without_avx512_it_is_the_same(ours, tmp_path):
    """Neither numpy nor what numba compiles may use it."""
    wide = [name for name, there in features.items() if there and name.startswith("AVX512")]
    if not wide:
        pytest.skip("this processor has no AVX-512 to switch off")
    narrow = {"NPY_DISABLE_CPU_FEATURES": " ".join(wide), "NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": "+avx2"}
    assert played_elsewhere(compiled=COMPILED, NUMBA_CACHE_DIR=str(tmp_path), **narrow) == ours


def test_a_tick_that_looks_at_few_sites_at_a_time_decides_the_same(journal, monkeypatch):
    """Only the order of effects within the tick follows the parts."""
    whole, before = journals.play(journal)
    monkeypatch.setattr(parts, "AT_ONCE", 2)
    cut, after = journals.play(journal)
    assert sorted(map(repr, cut)) == sorted(map(repr, whole))
    assert after.snapshot() == before.snapshot()
