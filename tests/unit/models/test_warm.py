"""What is compiled ahead of time is enough: no frame and no tick compiles anything afterwards."""

import numpy as np
import pytest

from models.decide.outlook import assess, detail
from models.fold.fold import fold_frame
from models.jit import COMPILED
from models.step.cycles import renew_slot
from models.step.silence import listen
from models.warm import warm
from tests.support import journals


@pytest.mark.skipif(not COMPILED, reason="numba is missing here: nothing is compiled")
def test_one_signature_of_each_entry():
    warm()
    journals.play(journals.write_journal(1, 10))
    for compiled in (fold_frame, assess, detail, listen, renew_slot):
        assert len(compiled.signatures) == 1


def test_frames_of_any_memory_need_one_signature(devices):
    frame = devices.frame(1, {1: 50})
    odd = np.frombuffer(b"\0" + frame.supplies.tobytes(), np.uint8)[1:].view(frame.supplies.dtype)
    frame.readings.flags.writeable = False
    said = type(frame)(frame.readings, odd, frame.counters, frame.measures, frame.signals)
    assert devices.fold(said).verdicts.tolist() == [1]
    if COMPILED:
        assert len(fold_frame.signatures) == 1
