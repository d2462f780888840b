"""Join consecutive frames into one, so that a worker that is behind folds few large ones."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from models.frame import UNKNOWN_COUNTER, Column, Frame, Signal, SupplyFlag

MOST_NAMES = 0xFFFF  # indexes are u2


def merge_frames(frames: Sequence[Frame]) -> Frame:
    """The readings of all frames in order, with one table of names. May hold more than a record may.

    Returns the frame itself when there is one. Raises ValueError for none, and above 65,535 different names."""
    if not frames:
        raise ValueError("no frames to merge")
    if len(frames) == 1:
        return frames[0]
    columns = [
        np.concatenate([getattr(frame, name) for frame in frames])
        for name in ("readings", "supplies", "counters", "measures", "signals")
    ]
    readings, supplies, counters, measures, signals = columns
    merged = Frame(readings, supplies, counters, measures, signals, _joined_names(frames))
    if len(merged.names) > MOST_NAMES:
        raise ValueError(f"{len(merged.names)} different names in {len(frames)} frames: merge fewer")
    _point_to_joined(frames, merged)
    return merged


def _joined_names(frames: Sequence[Frame]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for frame in frames for name in frame.names))


def _point_to_joined(frames: Sequence[Frame], merged: Frame) -> None:
    """Rewrite the indexes of each frame's rows that point to its own names; rows are owned by `merged`."""
    place = {name: i for i, name in enumerate(merged.names)}
    supply = counter = measure = signal = 0
    for frame in frames:
        supplies = merged.supplies[supply : supply + len(frame.supplies)]
        counters = merged.counters[counter : counter + len(frame.counters)]
        measures = merged.measures[measure : measure + len(frame.measures)]
        signals = merged.signals[signal : signal + len(frame.signals)]
        supply += len(supplies)
        counter += len(counters)
        measure += len(measures)
        signal += len(signals)
        if not frame.names or frame.names == merged.names[: len(frame.names)]:
            continue
        to = np.array([place[name] for name in frame.names], np.int64)
        _remap(supplies, "slot", to, supplies["flags"] & SupplyFlag.UNKNOWN != 0)
        _remap(counters, "name", to, counters["index"] == UNKNOWN_COUNTER)
        everywhere = np.ones(len(measures), bool)
        _remap(measures, "name", to, everywhere)
        _remap(measures, "unit", to, everywhere)
        _remap(signals, "name", to, signals["code"] == Signal.OTHER)


def _remap(rows: Column, field: str, to: npt.NDArray[np.int64], which: npt.NDArray[np.bool_]) -> None:
    """Indexes beyond the frame's own names (no name) stay as they are."""
    if not len(rows):
        return
    index = rows[field].astype(np.int64)
    chosen = which & (index < len(to))
    rows[field][chosen] = to[index[chosen]]
