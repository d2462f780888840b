"""Buckets and the hashes of readings are the same with numba and without: an auditor recomputes them."""

import os
import subprocess
import sys
from dataclasses import replace
from hashlib import sha256

import numpy as np

from models.frame import COUNTER, MEASURE, READING, SIGNAL, SUPPLY, Frame
from models.units import MINUTE
from streams.worker.series_sink import IGNORED, LATE, LIVE, SeriesSink, reading_hashes

START = 1_700_006_400_000
READINGS = 2000


def frame() -> Frame:
    chance = np.random.default_rng(3)
    readings, supplies = np.zeros(READINGS, READING), np.zeros(2 * READINGS, SUPPLY)
    readings["device"], readings["supplies"] = chance.integers(1, 30, READINGS), 2
    readings["boot"] = chance.integers(0, 1 << 63, READINGS, dtype=np.uint64) * 2  # beyond what int64 holds
    readings["seq"] = chance.integers(0, 1 << 53, READINGS)
    readings["ts"] = START + np.arange(READINGS) * MINUTE // 4 - chance.integers(0, 30 * MINUTE, READINGS)
    supplies["slot"] = np.repeat(readings["device"] * 2, 2) + np.tile([0, 1], READINGS)
    supplies["high"] = chance.random(2 * READINGS, np.float32) * 100
    supplies["low"] = supplies["high"] * np.float32(0.9)
    return Frame(readings, supplies, np.zeros(0, COUNTER), np.zeros(0, MEASURE), np.zeros(0, SIGNAL))


def digest(size: int = READINGS) -> str:
    """Of everything that the sink makes of the readings in frames of `size`."""
    sink, given = SeriesSink(np.array([IGNORED, LIVE, LATE], np.uint8)), frame()
    verdicts = (np.arange(READINGS) % 13 % 3).astype(np.uint8)
    for a in range(0, READINGS, size):
        b = a + size
        piece = replace(given, readings=given.readings[a:b], supplies=given.supplies[2 * a : 2 * b])
        sink.frame(piece, verdicts[a:b])
    told = sink.take()
    points = repr([(p.subject, p.ts, p.value, p.key) for p in told.points]).encode()
    rows = b"".join(rows.tobytes() for rows in told.buckets)
    return sha256(reading_hashes(given.readings).tobytes() + rows + points + sink.snapshot()).hexdigest()


def test_frame_boundaries():
    assert len({digest(size) for size in (1, 7, 500, READINGS)}) == 1


def test_plain_python():
    done = subprocess.run(
        [sys.executable, __file__],
        env=os.environ | {"NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == digest()


if __name__ == "__main__":
    print(digest())
