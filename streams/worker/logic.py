"""The logic of this version: models.partition, and what its verdicts mean to the series."""

import numpy as np

from models.frame import COUNTER, MEASURE, READING, SIGNAL, SUPPLY, Frame
from models.layout import Verdict
from models.partition import Partition
from models.version import LOGIC
from models.warm import warm
from streams.worker.ports import Logic
from streams.worker.series_sink import IGNORED, LATE, LIVE, SeriesSink

_MEANS = {Verdict.OLD: IGNORED, Verdict.LIVE: LIVE, Verdict.LATE: LATE, Verdict.QUARANTINED: IGNORED}


def this_logic() -> Logic:
    return Logic(LOGIC, Partition, Partition.restore, _classes(), warm_up)


def warm_up() -> None:
    """Compile what is compiled, or load it from numba's cache: a partition's event loop must not wait for it."""
    warm()
    reading = np.zeros(1, READING)
    reading["supplies"], reading["ts"] = 1, 1
    frame = Frame(reading, np.zeros(1, SUPPLY), np.zeros(0, COUNTER), np.zeros(0, MEASURE), np.zeros(0, SIGNAL))
    SeriesSink(np.ones(256, np.uint8)).frame(frame, np.full(1, Verdict.LIVE, np.uint8))


def _classes() -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    classes = np.zeros(256, np.uint8)
    for verdict, means in _MEANS.items():
        classes[verdict] = means
    return classes
