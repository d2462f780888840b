"""Was this reading seen before, and is it the newest? Sequence numbers per boot, with what is still missing.

Within a boot the order is that of the numbers, not of the time stamps. A bit mask remembers the numbers just below the
highest, `floor` the lowest one seen, and a sheet of ranges the gaps in between: so a backlog that arrives newest first
is late, not old, and a second copy of anything is old. Sheets are few (layout.SHEETS) and shared by those in need.
"""

from typing import Any

from models.jit import i64, inner
from models.layout import BOOTS, RANGES, RING, SHEETS, WINDOW, DeviceFlag, Verdict

OLD, LIVE, LATE = int(Verdict.OLD), int(Verdict.LIVE), int(Verdict.LATE)
FORGETFUL = int(DeviceFlag.FORGETFUL)
FULL = (1 << WINDOW) - 1


@inner
def unsequenced(device: Any, key: int, ts: int) -> int:
    """A reading without boot and number is known by the hash of its time and content; the last few are remembered."""
    for k in range(RING):
        if i64(device.ring[k]) == key and i64(device.time) != 0:
            return OLD
    for k in range(RING - 1, 0, -1):
        device.ring[k] = device.ring[k - 1]
    device.ring[0] = key
    return LIVE if ts > i64(device.time) else LATE


@inner
def sequenced(device: Any, device_row: int, sheets: Any, pool: Any, boot: int, seq: int, ts: int) -> int:
    """OLD, LIVE or LATE; remembers the number."""
    newest = ts > i64(device.time)
    at = find_boot(device, boot)
    if at < 0:
        return first_of_boot(device, sheets, pool, boot, seq, newest)
    if seq <= i64(device.high[at]):
        return below_high(device, device_row, sheets, pool, at, seq)
    climb(device, device_row, sheets, pool, at, seq)
    if at == 0:
        return LIVE
    if newest:  # its clock was wrong at first, and is right now
        to_front(device, at)
        return LIVE
    return LATE


@inner
def find_boot(device: Any, boot: int) -> int:
    for k in range(BOOTS):
        if i64(device.boot[k]) == boot and i64(device.mask[k]) != 0:
            return k
    return -1


@inner
def first_of_boot(device: Any, sheets: Any, pool: Any, boot: int, seq: int, newest: bool) -> int:
    """Enter a boot: in front if its reading is the newest, else behind the current one. The last one is forgotten."""
    at = 0 if newest or i64(device.mask[0]) == 0 else 1
    drop_ranges(device, sheets, pool, i64(device.boot[BOOTS - 1]))
    for k in range(BOOTS - 1, at, -1):
        move(device, k - 1, k)
    put(device, at, boot, seq, i64(1), seq)
    return LIVE if newest else LATE


@inner
def put(device: Any, at: int, boot: int, high: int, mask: int, floor: int) -> None:
    device.boot[at] = boot
    device.high[at] = high
    device.mask[at] = mask
    device.floor[at] = floor


@inner
def move(device: Any, source: int, target: int) -> None:
    high, mask = i64(device.high[source]), i64(device.mask[source])
    put(device, target, i64(device.boot[source]), high, mask, i64(device.floor[source]))


@inner
def to_front(device: Any, at: int) -> None:
    boot, high = i64(device.boot[at]), i64(device.high[at])
    mask, floor = i64(device.mask[at]), i64(device.floor[at])
    for k in range(at, 0, -1):
        move(device, k - 1, k)
    put(device, i64(0), boot, high, mask, floor)


@inner
def climb(device: Any, row: int, sheets: Any, pool: Any, at: int, seq: int) -> None:
    """A number above the highest: shift the mask; what leaves it unseen becomes missing ranges."""
    high, mask, floor = i64(device.high[at]), i64(device.mask[at]), i64(device.floor[at])
    boot = i64(device.boot[at])
    ahead = seq - high
    start = seq - WINDOW + 1  # the lowest number that the mask holds from now on
    low = max(high - WINDOW + 1, floor)  # where the run of missing numbers begins that we are in
    for number in range(low, min(start, high + 1)):  # these leave the mask
        if (mask >> (high - number)) & 1:
            if low < number:
                keep_missing(device, row, sheets, pool, boot, low, number - 1)
            low = number + 1
    if low < start:
        keep_missing(device, row, sheets, pool, boot, low, start - 1)
    device.high[at] = seq
    device.mask[at] = 1 if ahead >= WINDOW else ((mask << ahead) | 1) & FULL


@inner
def below_high(device: Any, row: int, sheets: Any, pool: Any, at: int, seq: int) -> int:
    """A number not above the highest: seen, or missing until now."""
    high, mask, floor = i64(device.high[at]), i64(device.mask[at]), i64(device.floor[at])
    boot = i64(device.boot[at])
    behind = high - seq
    start = high - WINDOW + 1
    if behind < WINDOW:
        if (mask >> behind) & 1:
            return OLD
        device.mask[at] = mask | (1 << behind)
    elif seq < floor:
        top = min(floor, start) - 1
        if seq + 1 <= top:
            keep_missing(device, row, sheets, pool, boot, seq + 1, top)
    elif not take_missing(device, row, sheets, pool, boot, seq):
        return OLD
    device.floor[at] = min(floor, seq)
    return LATE


@inner
def keep_missing(device: Any, row: int, sheets: Any, pool: Any, boot: int, low: int, high: int) -> None:
    """Remember that low..high are missing. With no room for it the lowest kept range, or this one, counts as seen."""
    at = i64(device.sheet)
    if at < 0:
        at = i64(pool[0])
        if at >= 0:
            pool[0] = sheets[at].count
        elif pool[1] < SHEETS:
            at = i64(pool[1])
            pool[1] = at + 1
        else:
            device.flags = i64(device.flags) | FORGETFUL
            return
        device.sheet = at
        sheets[at].device = row
        sheets[at].count = 0
    sheet = sheets[at]
    count = i64(sheet.count)
    if count == RANGES:
        device.flags = i64(device.flags) | FORGETFUL
        remove_range(sheet, i64(0))
        count -= 1
    set_range(sheet, count, boot, low, high)
    sheet.count = count + 1


@inner
def take_missing(device: Any, row: int, sheets: Any, pool: Any, boot: int, seq: int) -> bool:
    """Was this number missing? Then it is no more."""
    at = i64(device.sheet)
    if at < 0:
        return False
    sheet = sheets[at]
    for k in range(i64(sheet.count)):
        low, high = i64(sheet.low[k]), i64(sheet.high[k])
        if i64(sheet.boot[k]) != boot or seq < low or seq > high:
            continue
        if low == high:
            remove_range(sheet, k)
            free_if_empty(device, sheets, pool, at)
        elif seq == low:
            sheet.low[k] = seq + 1
        else:
            sheet.high[k] = seq - 1
            if seq < high:
                keep_missing(device, row, sheets, pool, boot, seq + 1, high)
        return True
    return False


@inner
def drop_ranges(device: Any, sheets: Any, pool: Any, boot: int) -> None:
    """Forget what a boot misses."""
    at = i64(device.sheet)
    if at < 0:
        return
    for k in range(i64(sheets[at].count) - 1, -1, -1):
        if i64(sheets[at].boot[k]) == boot:
            remove_range(sheets[at], k)
    free_if_empty(device, sheets, pool, at)


@inner
def free_if_empty(device: Any, sheets: Any, pool: Any, at: int) -> None:
    if sheets[at].count == 0:
        device.sheet = -1
        sheets[at].device = -1
        sheets[at].count = pool[0]
        pool[0] = at


@inner
def set_range(sheet: Any, k: int, boot: int, low: int, high: int) -> None:
    sheet.boot[k] = boot
    sheet.low[k] = low
    sheet.high[k] = high


@inner
def remove_range(sheet: Any, k: int) -> None:
    """Close the gap at k; the free places stay zero."""
    count = i64(sheet.count)
    for j in range(k, count - 1):
        set_range(sheet, j, i64(sheet.boot[j + 1]), i64(sheet.low[j + 1]), i64(sheet.high[j + 1]))
    set_range(sheet, count - 1, i64(0), i64(0), i64(0))
    sheet.count = count - 1
