"""A partition's whole state: tables of numpy rows, found by the ledger's ids. Only `step` changes it."""

import msgspec
import numpy as np
import numpy.typing as npt

from models import layout
from models.depletion.pace import PRIOR_DAYS, PRIOR_SCATTER
from models.facts import ClassFact
from models.index import Index
from models.layout import LOCAL_DAY, NO_TOTAL, SHEET, SHEETS
from models.rows import Rows
from models.units import NEVER

FORMAT = 7
"""Of the snapshot. A checkpoint of another format is refused: replay the journal, or go back to the old version."""

UNMAPPED = 4096  # names that are remembered as told


class Table:
    """Rows of one dtype that has a field `id`, or another key, found by it. `rows` may be longer than `count`."""

    __slots__ = ("_blank", "_key", "count", "index", "rows")

    def __init__(self, dtype: np.dtype[np.void], key: str = "id", **blank: object) -> None:
        self._key = key
        self._blank = np.zeros(1, dtype)
        for name, value in blank.items():
            self._blank[name] = value
        self.count = 0
        self.index = Index()
        self.rows: Rows = np.repeat(self._blank, 8)

    def row(self, key: int) -> int:
        """Position of the row of `key`, -1 if there is none."""
        return self.index.get(key)

    def add(self, key: int) -> int:
        """A blank row for a key that has none yet; its position. Existing views of `rows` may be of the old array."""
        if self.count == len(self.rows):
            self.rows = np.concatenate([self.rows, np.repeat(self._blank, len(self.rows))])
        at = self.index.add(key)
        self.rows[at][self._key] = key
        self.count += 1
        return at

    def row_or_add(self, key: int) -> int:
        at = self.index.get(key)
        return at if at >= 0 else self.add(key)

    @property
    def live(self) -> Rows:
        """The rows that are in use."""
        return self.rows[: self.count]

    def load(self, block: bytes) -> None:
        rows = np.frombuffer(block, self.rows.dtype)
        self.count = len(rows)
        size = 8
        while size < self.count:
            size *= 2
        self.rows = np.concatenate([rows, np.repeat(self._blank, size - self.count)])
        self.index.load(rows[self._key].astype(np.int64))


class State:
    """Tables of slots, devices and what they refer to. `time` and `listening` are of the last tick."""

    def __init__(self) -> None:
        self.time = 0
        self.listening = 0
        nan = np.nan
        self.slots = Table(
            layout.SLOT,
            device_row=-1,
            site_row=-1,
            lane_row=-1,
            next_slot=-1,
            cycle=1,
            level=nan,
            low=nan,
            high=nan,
            odd_high=nan,
            base=NO_TOTAL,
            before_base=NO_TOTAL,
        )
        self.look: npt.NDArray[np.int64] = np.full(8, NEVER, np.int64)
        self.devices = Table(
            layout.DEVICE,
            account_row=-1,
            site_row=-1,
            first_slot=-1,
            sheet=-1,
            total=NO_TOTAL,
            recent_used=PRIOR_DAYS,
            recent_days=PRIOR_DAYS,
            lasting_used=PRIOR_DAYS,
            lasting_days=PRIOR_DAYS,
            scatter=PRIOR_DAYS * PRIOR_SCATTER,
        )
        self.sites = Table(layout.SITE, account_row=-1, calendar_row=-1)
        self.accounts = Table(layout.ACCOUNT)
        self.calendars = Table(layout.CALENDAR)
        usual = ClassFact(version=0, slot_class=0)
        self.classes = Table(
            layout.CLASS,
            rate=usual.rate,
            rate_cv2=usual.rate_cv2,
            dispersion=usual.dispersion,
            kappa=usual.kappa,
            eta=usual.eta,
            half_slow=usual.half_slow,
        )
        self.classes.add(0)  # row 0, for slots whose class is not known yet
        self.lanes = Table(layout.LANE, site_row=-1)
        self.days: Rows = np.zeros(0, LOCAL_DAY)
        self.sheets: Rows = np.zeros(SHEETS, SHEET)
        self.sheets["device"] = -1
        self.pool: npt.NDArray[np.int64] = np.array([-1, 0], np.int64)  # first free sheet, sheets ever used
        self.unmapped: dict[tuple[int, str], None] = {}  # (device, supply name), oldest first

    def note_unmapped(self, device: int, name: str) -> None:
        """Remember that a supply name was told as unknown; of very many the oldest are forgotten, and told again."""
        self.unmapped[device, name] = None
        if len(self.unmapped) > UNMAPPED:
            del self.unmapped[next(iter(self.unmapped))]

    def tables(self) -> dict[str, Table]:
        """By name, in the order of the snapshot."""
        return {
            "slots": self.slots,
            "devices": self.devices,
            "sites": self.sites,
            "accounts": self.accounts,
            "calendars": self.calendars,
            "classes": self.classes,
            "lanes": self.lanes,
        }

    def add_slot(self, slot: int, device_row: int) -> int:
        """A blank slot of a device, due at the next tick; its row."""
        row = self.slots.add(slot)
        if len(self.look) < len(self.slots.rows):
            self.look = np.concatenate([self.look, np.full(len(self.slots.rows) - len(self.look), NEVER, np.int64)])
        self.look[row] = 0
        device = self.devices.rows[device_row]
        self.slots.rows[row]["device_row"] = device_row
        self.slots.rows[row]["site_row"] = device["site_row"]
        self.slots.rows[row]["next_slot"] = device["first_slot"]
        device["first_slot"] = row
        device["slots"] += 1
        return row

    def set_days(self, calendar_row: int, days: Rows, first_day: int) -> None:
        """Give a calendar its local days: n + 1 rows, the last one ends the n-th (models.calendar.day_rows)."""
        calendar = self.calendars.rows[calendar_row]
        count = len(days) - 1
        if count > calendar["count"] or calendar["count"] == 0:
            calendar["first"] = len(self.days)
            self.days = np.concatenate([self.days, days])
        at = int(calendar["first"])
        self.days[at : at + count + 1] = days
        calendar["count"] = count
        calendar["day"] = first_day

    def snapshot(self) -> tuple[tuple[str, bytes], ...]:
        """Named blocks that depend on what the state holds only, not on how it grew."""
        calendars = self.calendars.live.copy()
        days = [self.days[c["first"] : c["first"] + c["count"] + 1] for c in calendars if c["count"]]
        at = 0
        for calendar in calendars:
            calendar["first"] = at
            at += int(calendar["count"]) + 1 if calendar["count"] else 0
        blocks = [("meta", np.array([FORMAT, self.time, self.listening], np.int64).tobytes())]
        blocks += [(name, t.live.tobytes()) for name, t in self.tables().items() if name != "calendars"]
        blocks.append(("calendars", calendars.tobytes()))
        blocks.append(("look", self.look[: self.slots.count].tobytes()))
        blocks.append(("days", np.concatenate([self.days[:0], *days]).tobytes()))
        blocks.append(("pool", self.pool.tobytes()))
        blocks.append(("sheets", self.sheets[: self.pool[1]].tobytes()))
        blocks.append(("unmapped", msgspec.msgpack.encode(list(self.unmapped))))
        return tuple(blocks)

    @classmethod
    def restore(cls, blocks: tuple[tuple[str, bytes], ...]) -> "State":
        """The state of a snapshot. Raises ValueError when another layout wrote it."""
        given = dict(blocks)
        state = cls()
        meta = np.frombuffer(given["meta"], np.int64)
        if meta[0] != FORMAT:
            raise ValueError(f"state format {meta[0]}: this version reads {FORMAT}; replay the journal or go back")
        state.time, state.listening = int(meta[1]), int(meta[2])
        for name, table in state.tables().items():
            table.load(given[name])
        state.look = np.full(len(state.slots.rows), NEVER, np.int64)
        state.look[: state.slots.count] = np.frombuffer(given["look"], np.int64)
        state.days = np.frombuffer(given["days"], LOCAL_DAY).copy()
        state.pool = np.frombuffer(given["pool"], np.int64).copy()
        state.sheets[: state.pool[1]] = np.frombuffer(given["sheets"], SHEET)
        told = msgspec.msgpack.decode(given["unmapped"], type=list[tuple[int, str]])
        state.unmapped = dict.fromkeys(told)
        return state
