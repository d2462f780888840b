"""Views and evidence: how a slot stands, for people and for the receipt."""

import numpy as np
import numpy.typing as npt

from models.decide.book import Book
from models.decide.layout import Status
from models.decide.survey import Survey, details
from models.effects import Evidence, SlotView
from models.fold.events import UNSIGNED
from models.rows import Rows, gather
from models.state import State

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]

FINE, WATCH, AT_RISK, EMPTY = 0, 1, 2, 3


def risk_band(seen: Survey) -> Bytes:
    """0 fine; 1 the longest lead time could be too long; 2 past the threshold; 3 the device says that it is empty."""
    o = seen.outlooks
    past = o["known"] & o["near"] & (o["probability"] >= o["threshold"])
    return np.select(
        [seen.slots["empty_since"] != 0, past | seen.signalled, o["known"] & o["near"]], [EMPTY, AT_RISK, WATCH], FINE
    ).astype(np.uint8)


def levels(seen: Survey, chosen: npt.NDArray[np.int64]) -> tuple[Floats, Floats, Floats]:
    """(low, high, level): what the device said and what is believed now; nothing said is 0 to 100, never a number."""
    low, high = seen.slots["low"][chosen].astype(np.float64), seen.slots["high"][chosen].astype(np.float64)
    level = seen.outlooks["level"][chosen]
    nothing, unsaid = np.isnan(level), np.isnan(low)
    low = np.where(unsaid, np.where(nothing, 0.0, level), low)
    high = np.where(unsaid, np.where(nothing, 100.0, level), high)
    return low, high, np.where(nothing, 0.5 * (low + high), level)


def evidence(state: State, book: Book, now: int, seen: Survey, chosen: npt.NDArray[np.int64]) -> list[Evidence]:
    """Of the chosen positions of the survey."""
    result = []
    told = zip(*(column.tolist() for column in levels(seen, chosen)), strict=True)
    proofs = details(state, now, gather(seen.outlooks, chosen), receipt=True)
    for i, d, (low, high, level) in zip(chosen.tolist(), proofs, told, strict=True):
        pool = book.pools.rows[int(seen.plans[i]["pool_row"])]
        result.append(
            Evidence(
                time=now,
                read=int(seen.slots[i]["read"]),
                read_boot=boot_name(int(seen.slots[i]["read_boot"])),
                read_seq=int(seen.slots[i]["read_seq"]),
                level_low=low,
                level_high=high,
                level=level,
                rate=float(seen.outlooks[i]["rate"]),
                quantiles=tuple(d["quantiles"].tolist()) if seen.outlooks[i]["known"] else (),
                probability=float(d["probability"]),
                probability_earlier=float(d["earlier"]),
                probability_later=float(d["later"]),
                threshold=float(seen.outlooks[i]["threshold"]),
                lead_ms=tuple(d["lead"].tolist()),
                on_hand=float(pool["on_hand"]),
                on_order=float(pool["on_order"]),
                claims=round(float(seen.before[i])),
                last_heard=heard(state, seen.slots[i : i + 1])[0],
                counts_per_day=float(seen.outlooks[i]["counts"]),
            )
        )
    return result


def boot_name(boot: int) -> str:
    return f"{boot & UNSIGNED:016x}" if boot else ""


def heard(state: State, slots: Rows) -> list[int]:
    """When each slot's device was heard last, ms; 0: never."""
    devices = state.devices.rows
    row = slots["device_row"]
    last: list[int] = np.maximum(devices["time"][row], devices["heard"][row]).tolist()
    return last


_NAMES = tuple(s.name.lower() for s in Status)


def slot_views(
    state: State, book: Book, now: int, seen: Survey, status: Bytes, band: Bytes, chosen: npt.NDArray[np.int64]
) -> list[SlotView]:
    """Views of the chosen positions of the survey."""
    if not len(chosen):
        return []
    slots, o = gather(seen.slots, chosen), gather(seen.outlooks, chosen)
    pool_row = seen.plans["pool_row"][chosen]
    pooled = pool_row >= 0
    pools = book.pools.rows
    known = o["known"].tolist()
    quantiles = details(state, now, o)
    low, high, level = levels(seen, chosen)
    columns = zip(
        slots["id"].tolist(),
        slots["cycle"].tolist(),
        low.tolist(),
        high.tolist(),
        level.tolist(),
        o["rate"].tolist(),
        [tuple(q) if k else () for q, k in zip(quantiles["quantiles"].tolist(), known, strict=True)],
        quantiles["probability"].tolist(),
        o["threshold"].tolist(),
        band[chosen].tolist(),
        status[chosen].tolist(),
        np.where(pooled, pools["on_hand"][pool_row], 0.0).tolist(),
        np.where(pooled, pools["on_order"][pool_row], 0.0).tolist(),
        heard(state, slots),
        o["counts"].tolist(),
        strict=True,
    )
    return [
        SlotView(
            i, cycle, now, lowest, highest, believed, rate, q, p, threshold, risk, _NAMES[why], hand, order, last, count
        )
        for i, cycle, lowest, highest, believed, rate, q, p, threshold, risk, why, hand, order, last, count in columns
    ]
