"""Cover (LIFECYCLE.md rule 4): a unit covers one slot, the earliest empty first, over all slots that it fits.

free = on hand + on order - what open needs claim. A slot without an open need is covered if the claims of the slots
before it and its own fit into what is free; the rank is by expected empty, then by id.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from models.decide.layout import Standing
from models.facts import Refill
from models.jit import entry, f64, i64, inner

TOLERANCE = 1e-6
"""Of units: ten tenths of a pack are one pack."""

_OPEN = int(Standing.OPEN)
_TOPUP = int(Refill.TOPUP)


@inner
def claim_of(slot: Any) -> float:
    """Units of stock that the next refill of a slot takes."""
    return (f64(slot.capacity) if slot.refill == _TOPUP else 1.0) / f64(slot.pack_units)


@entry
def claim_at(slots: Any, row: int) -> float:
    """claim_of, for Python: compiled helpers take rows of an array only."""
    return claim_of(slots[row])


@entry
def members(pool_rows: Any, pools: Any, plans: Any, out: Any) -> int:
    """Rows of all slots of the pools into `out`, as many as fit; how many there are. Follows the links of the book."""
    n = 0
    for p in range(len(pool_rows)):
        row = i64(pools[pool_rows[p]].first_slot)
        while row >= 0:
            if n < len(out):
                out[n] = row
            n += 1
            row = i64(plans[row].next_slot)
    return n


@entry
def rank(order: Any, rows: Any, slots: Any, plans: Any, pools: Any, before: Any, covered: Any) -> int:
    """Cover of `rows`, complete pools, visited in `order` (pool by pool, earliest empty first).

    Fills before[i], the units that slots before row i claim, and covered[i]. For a slot with an open need they say how
    it would stand without it, by what is on hand alone.
    """
    at = 0
    while at < len(order):
        pool = i64(plans[rows[order[at]]].pool_row)
        end = at
        open_claims = 0.0
        while end < len(order) and i64(plans[rows[order[end]]].pool_row) == pool:
            row = rows[order[end]]
            if plans[row].standing == _OPEN:
                open_claims += claim_of(slots[row])
            end += 1
        on_hand = f64(pools[pool].on_hand)
        free = on_hand + f64(pools[pool].on_order) - open_claims
        used = 0.0
        all_used = 0.0
        for k in range(at, end):
            i = order[k]
            row = rows[i]
            claim = claim_of(slots[row])
            if plans[row].standing == _OPEN:
                before[i] = all_used
                covered[i] = all_used + claim <= on_hand + TOLERANCE
            else:
                before[i] = used
                covered[i] = used + claim <= free + TOLERANCE
                used += claim
            all_used += claim
        at = end
    return len(rows)


def pool_members(pool_rows: npt.NDArray[np.int64], pools: Any, plans: Any) -> npt.NDArray[np.int64]:
    """Rows of all slots of the pools (each once)."""
    out = np.zeros(max(64, 4 * len(pool_rows)), np.int64)
    count = members(pool_rows, pools, plans, out)
    if count > len(out):
        out = np.zeros(count, np.int64)
        count = members(pool_rows, pools, plans, out)
    return out[:count]
