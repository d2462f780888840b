"""The logic of this version: models.partition, and what its verdicts mean to the series."""

import numpy as np

from models.frame import COUNTER, MEASURE, READING, SIGNAL, SUPPLY, Frame
from models.layout import Verdict
from models.partition import Partition
from models.records import Tick
from models.version import LOGIC
from streams.worker.ports import Logic
from streams.worker.series_sink import IGNORED, LATE, LIVE, SeriesSink

_MEANS = {Verdict.OLD: IGNORED, Verdict.LIVE: LIVE, Verdict.LATE: LATE, Verdict.QUARANTINED: IGNORED}


def this_logic() -> Logic:
    return Logic(LOGIC, Partition, Partition.restore, _classes(), warm_up)


def warm_up() -> None:
    """Compile what is compiled, or load it from numba's cache, with a reading of a device that nobody knows.

    Without a cache it takes minutes, which a partition's event loop must not."""
    readings, supplies = np.zeros(1, READING), np.zeros(1, SUPPLY)
    readings["device"], readings["ts"], readings["supplies"] = 1, 1, 1
    frame = Frame(readings, supplies, np.zeros(0, COUNTER), np.zeros(0, MEASURE), np.zeros(0, SIGNAL))
    partition, sink = Partition(0), SeriesSink(np.ones(256, np.uint8))
    outcome = partition.step(0, frame)
    if outcome.verdicts is not None:
        sink.frame(frame, outcome.verdicts)
    partition.step(1, Tick(1, 1))


def _classes() -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    classes = np.zeros(256, np.uint8)
    for verdict, means in _MEANS.items():
        classes[verdict] = means
    return classes
