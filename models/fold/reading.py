"""One reading after the other into the state: the specification of what a device's word does."""

from typing import Any

from models.fold import events
from models.fold.events import CURSOR_COUNTER, CURSOR_EVENT, CURSOR_READING, CURSOR_SIGNAL, CURSOR_SUPPLY
from models.fold.late import fold_late
from models.fold.levels import fold_levels
from models.fold.log import save_sheets, save_slots
from models.fold.meters import fold_counters, fold_metered
from models.fold.moment import Moment, moment_of
from models.fold.sequence import sequenced, unsequenced
from models.fold.signals import fold_signals
from models.frame import ReadingFlag
from models.index import find
from models.jit import i64, inner
from models.layout import DeviceFlag, Verdict

OLD, LIVE, LATE, QUARANTINED = int(Verdict.OLD), int(Verdict.LIVE), int(Verdict.LATE), int(Verdict.QUARANTINED)
NO_SEQUENCE, BACKFILLED = int(ReadingFlag.NO_SEQUENCE), int(ReadingFlag.BACKFILLED)
LAST_WILL = int(ReadingFlag.OFFLINE)
SKIP = 1 << 15  # a flag that the fold adds: passed over before, so pass it over again
OFFLINE, HEARD, IMPORTED = int(DeviceFlag.OFFLINE), int(DeviceFlag.HEARD), int(DeviceFlag.IMPORTED)
RETIRED, COUNTED = int(DeviceFlag.RETIRED), int(DeviceFlag.COUNTED)
MOST = 1 << 53
WILL = 4
EVENTS_PER_TOUCH = 4  # a refill, two closed days, a quarantine
LOGGED_SLOTS, LOGGED_DEVICES, LOGGED_SHEETS = 5, 6, 7  # further places of the cursor


@inner
def fold_rest(
    readings: Any,
    supplies: Any,
    counters: Any,
    signals: Any,
    told: Any,
    cursor: Any,
    slots: Any,
    look: Any,
    devices: Any,
    sites: Any,
    calendars: Any,
    days: Any,
    classes: Any,
    sheets: Any,
    pool: Any,
    slot_index: Any,
    device_index: Any,
    log_slots: Any,
    log_slot_rows: Any,
    log_devices: Any,
    log_sheets: Any,
    log_sheet_rows: Any,
) -> bool:
    """Fold from the cursor on; False if log or events are full before the end. Verdicts go into `spare`."""
    for i in range(i64(cursor[CURSOR_READING]), len(readings)):
        reading = readings[i]
        row = find(device_index, i64(reading.device))
        fault = refusal(reading, i64(devices[row].flags) if row >= 0 else -1)
        own = i64(devices[row].slots) if row >= 0 else 0
        if not has_room(cursor, reading, own, len(told), len(log_slots), len(log_devices), len(log_sheets)):
            return False
        if fault >= 0:
            events.quarantine(told, cursor, reading, fault, subject(reading, fault))
            reading.spare = QUARANTINED
        else:
            device = devices[row]
            log_devices[cursor[LOGGED_DEVICES]] = device
            cursor[LOGGED_DEVICES] += 1
            if not follows(device, reading):
                at = i64(cursor[LOGGED_SHEETS])
                own_sheet = i64(device.sheet)
                cursor[LOGGED_SHEETS] = save_sheets(log_sheets, log_sheet_rows, at, sheets, pool, own_sheet)
            boot = i64(device.boot[0])
            verdict = order(device, row, sheets, pool, reading)
            rebooted = boot != i64(device.boot[0])
            if verdict in (LIVE, LATE):
                at, first = i64(cursor[LOGGED_SLOTS]), i64(device.first_slot)
                cursor[LOGGED_SLOTS] = save_slots(log_slots, log_slot_rows, at, slots, look, first)
                ts = i64(device.time) if verdict == LIVE else i64(reading.ts)
                trains = i64(reading.flags) & BACKFILLED != 0
                moment = moment_of(i64(device.site_row), sites, calendars, days, ts, trains)
                if verdict == LATE:
                    fold_late(told, cursor, reading, supplies, row, slots, slot_index, moment)
                else:
                    fold_live(
                        told, cursor, reading, supplies, counters, signals, device, row, slots, slot_index, look,
                        classes, days, moment, rebooted,
                    )  # fmt: skip
            reading.spare = LIVE if verdict == WILL else verdict
        cursor[CURSOR_READING] = i + 1
        cursor[CURSOR_SUPPLY] += i64(reading.supplies)
        cursor[CURSOR_COUNTER] += i64(reading.counters)
        cursor[CURSOR_SIGNAL] += i64(reading.signals)
    return True


@inner
def fold_live(
    told: Any,
    cursor: Any,
    reading: Any,
    supplies: Any,
    counters: Any,
    signals: Any,
    device: Any,
    device_row: int,
    slots: Any,
    slot_index: Any,
    look: Any,
    classes: Any,
    days: Any,
    moment: Moment,
    rebooted: bool,
) -> None:
    """The newest reading of a device: counters, then levels, then signals."""
    if reading.counters > 0:
        seen, anew = fold_counters(told, cursor, reading, counters, device, days, moment, rebooted)
        if i64(device.flags) & COUNTED:
            fold_metered(told, cursor, reading, device, slots, look, classes, days, moment, seen, anew)
    if reading.supplies > 0:
        fold_levels(
            told, cursor, reading, supplies, signals, device, device_row, slots, slot_index, look, classes, days, moment
        )
    if reading.signals > 0 and not moment.trains:
        fold_signals(
            told, cursor, reading, supplies, signals, device, device_row, slots, slot_index, look, classes, days, moment
        )


@inner
def has_room(cursor: Any, reading: Any, own: int, events_room: int, slots: int, devices: int, sheets: int) -> bool:
    """Does what this reading can tell, and what it can touch of a device with `own` slots, fit into events and log?"""
    touches = i64(reading.supplies) + i64(reading.signals) + own
    told = EVENTS_PER_TOUCH * touches + i64(reading.counters) + 1
    return (
        i64(cursor[CURSOR_EVENT]) + told <= events_room
        and i64(cursor[LOGGED_SLOTS]) + own <= slots
        and i64(cursor[LOGGED_DEVICES]) < devices
        and i64(cursor[LOGGED_SHEETS]) + 2 <= sheets
    )


@inner
def refusal(reading: Any, device_flags: int) -> int:
    """Code of the reason why this reading cannot be used, -1 if it can. `device_flags` is -1 for an unknown device."""
    flags = i64(reading.flags)
    if flags & SKIP:
        return events.SKIPPED
    if device_flags < 0:
        return events.UNKNOWN_DEVICE
    if device_flags & RETIRED:
        return events.RETIRED_DEVICE
    if i64(reading.ts) <= 0 or i64(reading.ts) > MOST:
        return events.BAD_TIME
    plain = flags & (NO_SEQUENCE | LAST_WILL) != 0 or i64(reading.boot) == 0
    if not plain and (i64(reading.seq) < 0 or i64(reading.seq) > MOST):
        return events.BAD_SEQUENCE
    return -1


@inner
def subject(reading: Any, fault: int) -> int:
    """What the reason of a refusal is about."""
    if fault == events.BAD_TIME:
        return i64(reading.ts)
    return i64(reading.seq) if fault == events.BAD_SEQUENCE else i64(reading.device)


@inner
def follows(device: Any, reading: Any) -> bool:
    """The usual case: the next number of the current boot, and nothing missing that could fall out of the mask."""
    if i64(device.sheet) >= 0 or i64(reading.boot) != i64(device.boot[0]):
        return False
    mask = i64(device.mask[0])
    return i64(reading.seq) == i64(device.high[0]) + 1 and (mask + 1) & mask == 0


@inner
def order(device: Any, row: int, sheets: Any, pool: Any, reading: Any) -> int:
    """OLD, LIVE, LATE, or WILL for a last will, which only marks the device. Remembers the reading."""
    flags, boot = i64(reading.flags), i64(reading.boot)
    seq, ts = i64(reading.seq), i64(reading.ts)
    if flags & LAST_WILL:
        if ts < i64(device.time):
            return OLD
        device.flags = i64(device.flags) | OFFLINE
        return WILL
    if flags & NO_SEQUENCE or boot == 0:
        verdict = unsequenced(device, seq, ts)
    else:
        verdict = sequenced(device, row, sheets, pool, boot, seq, ts)
    if flags & BACKFILLED:  # nobody has heard the device
        if verdict == LIVE:
            device.flags = i64(device.flags) | IMPORTED
    elif verdict != OLD:
        device.flags = (i64(device.flags) | HEARD) & ~(OFFLINE | IMPORTED)
    if verdict == LIVE:
        device.time = max(ts, i64(device.time))
    return verdict
