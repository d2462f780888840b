"""Silence: a device is silent when it was quiet for three times its longest usual gap. Only listening time counts."""

from typing import Any

import numpy as np

from models.decide.book import Book
from models.effects import Alert, Effect
from models.jit import entry, i64
from models.layout import DeviceFlag
from models.state import State
from models.units import DAY, HOUR

PATIENCE = 3
LEAST = 6 * HOUR
MEMORY = 14 * DAY  # in which a long gap is forgotten

_HEARD, _SILENT, _RETIRED = int(DeviceFlag.HEARD), int(DeviceFlag.SILENT), int(DeviceFlag.RETIRED)


@entry
def listen(devices: Any, watches: Any, count: int, now: int, listening: int, changed: Any) -> int:
    """One tick over all devices; rows whose silence began or ended into `changed` (as long as `count`), how many."""
    n = 0
    for row in range(count):
        device = devices[row]
        flags = i64(device.flags)
        if flags & _HEARD:
            gap = i64(device.quiet) + listening
            if device.heard != 0:
                kept = i64(watches[row].interval)
                kept -= kept * min(gap, MEMORY // 2) // MEMORY
                watches[row].interval = max(gap, kept)
            device.heard = now
            device.quiet = 0
            device.flags = flags & ~_HEARD & ~_SILENT
            if flags & _SILENT:
                changed[n] = row
                n += 1
        elif listening > 0 and not flags & _RETIRED and device.version > 0:
            quiet = i64(device.quiet) + listening
            device.quiet = quiet
            if not flags & _SILENT and quiet > max(PATIENCE * i64(watches[row].interval), LEAST):
                device.flags = flags | _SILENT
                changed[n] = row
                n += 1
    return n


def hear(state: State, book: Book, now: int, listening: int) -> list[Effect]:
    """Alerts of devices that fell silent or spoke again, by id; their slots are due."""
    book.fit(state)
    changed = np.zeros(state.devices.count, np.int64)
    count = listen(state.devices.rows, book.watches, state.devices.count, now, listening, changed)
    alerts: list[tuple[int, Effect]] = []
    for row in changed[:count].tolist():
        device = state.devices.rows[row]
        silent = bool(int(device["flags"]) & DeviceFlag.SILENT)
        site = int(state.sites.rows[int(device["site_row"])]["id"]) if device["site_row"] >= 0 else 0
        hours = int(device["quiet"]) / HOUR
        text = f"not heard for {hours:.0f} hours of listening" if silent else "heard again"
        alerts.append((int(device["id"]), Alert("silent", f"device/{device['id']}", site, now, text, not silent)))
        slot = int(device["first_slot"])
        while slot >= 0:
            state.look[slot] = 0
            slot = int(state.slots.rows[slot]["next_slot"])
    return [alert for _, alert in sorted(alerts, key=lambda a: a[0])]
