"""Measures go to the series as they were said: one point for each, of its device, once however often it is told."""

import numpy as np

from models.frame import COUNTER, MEASURE, READING, SIGNAL, SUPPLY, Frame
from models.layout import Verdict
from models.stores import Point
from streams.worker.series_sink import SeriesSink
from tests.support import worker as kit

T0 = 1_795_000_000_000


def said(*readings: tuple[int, int, dict[str, float]]) -> Frame:
    """Readings of (device, seq, measures), a second apart."""
    names = tuple(sorted({name for _, _, measures in readings for name in measures}))
    heads, rows = np.zeros(len(readings), READING), []
    for i, (device, seq, measures) in enumerate(readings):
        heads[i]["device"], heads[i]["boot"], heads[i]["seq"], heads[i]["ts"] = device, 1, seq, T0 + 1000 * i
        heads[i]["measures"] = len(measures)
        rows += [(names.index(name), value) for name, value in measures.items()]
    body = np.zeros(len(rows), MEASURE)
    for row, (name, value) in zip(body, rows, strict=True):
        row["name"], row["value"] = name, value
    none = (np.zeros(0, SUPPLY), np.zeros(0, COUNTER))
    return Frame(heads, *none, body, np.zeros(0, SIGNAL), names)


def points(frame: Frame, *verdicts: Verdict) -> list[Point]:
    sink = SeriesSink(kit.CLASSES)
    sink.frame(frame, np.array(verdicts, np.uint8))
    return [point._replace(key=0) for point in sink.take().points]


def test_each_measure_is_a_point_of_its_device() -> None:
    frame = said((7, 1, {"temperature": 21.5, "co": 3.0}), (8, 1, {}), (9, 1, {"temperature": 19.25}))
    assert points(frame, *[Verdict.LIVE] * 3) == [
        Point("device/7", "temperature", T0, 21.5),
        Point("device/7", "co", T0, 3.0),
        Point("device/9", "temperature", T0 + 2000, 19.25),
    ]


def test_what_the_fold_did_not_take_leaves_no_point() -> None:
    frame = said((7, 1, {"temperature": 21.5}), (7, 1, {"temperature": 21.5}), (7, 2, {"temperature": 22.0}))
    found = points(frame, Verdict.LIVE, Verdict.OLD, Verdict.LATE)
    assert [point.value for point in found] == [21.5, 22.0]
