"""What the rules look at, as plain values, so that a test can say what a machine is like."""

import os
import re
import resource
import shutil
import sqlite3
import stat
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final

from journal.sqlite import extents, newest_ms
from ledger.standing import ledger_standing
from models.jit import COMPILED
from sqlitefile.connection import connect, translated
from streams.state.sqlite import newest_logic
from ullage import clocks, compose
from ullage.backup.create import LastBackup, last_backup
from ullage.disk import size_of, store_files
from ullage.lag import worker_lag
from ullage.settings import Settings

UNLIMITED: Final = 1 << 62
INSTALLED: Final = "ullage"


@dataclass(frozen=True, slots=True)
class Folder:
    exists: bool
    writable: bool
    mode: int  # permission bits
    file_system: str  # as the kernel calls it: "ext4", "nfs4"; "" if unknown


@dataclass(frozen=True, slots=True)
class Machine:
    python: tuple[int, int]
    sqlite: tuple[int, ...]
    missing: tuple[str, ...]  # packages that are not there or too old, with what is wanted
    compiled: bool
    processor: frozenset[str]  # its features, as /proc/cpuinfo has them; empty: unknown
    data: Folder
    orders_writable: bool  # the folder of purchase orders, or the nearest that is there
    readable: Mapping[str, bool]  # setting -> can the file be read; of those that name one
    free: int  # bytes where the data folder is or will be
    journal_bytes: int
    busy: Mapping[str, str]  # setting of a port -> why it cannot be listened on
    running: bool  # a worker of this installation tells of itself
    files: int  # hard limit of open files
    now: int  # system time, ms
    clock: str  # what the data folder remembers: system, simulated; "" if there is none
    journal_newest: int | None  # real ms when the newest record was appended
    partitions: int | None  # of the journal that is there
    ledger_version: str | None
    logic: frozenset[str]  # versions that made the newest checkpoints
    backup: LastBackup | None


def look(settings: Settings) -> Machine:
    """Raises StoreError for a store that is damaged or another program's."""
    data: Path = settings.data
    here = _nearest(data)
    files = store_files(settings)
    with _opened(files, "journal") as journal, _opened(files, "ledger") as ledger, _opened(files, "state") as state:
        newest = newest_ms(journal) if journal else None
        partitions = len(extents(journal).extents) if journal else None
        version = ledger_standing(ledger).version if ledger else None
        logic = newest_logic(state) if state else frozenset()
    return Machine(
        python=sys.version_info[:2],
        sqlite=sqlite3.sqlite_version_info,
        missing=tuple(_missing()),
        compiled=COMPILED,
        processor=_processor(),
        data=_folder(data, here),
        orders_writable=os.access(_nearest(settings.purchase_orders), os.W_OK),
        readable={name: os.access(path, os.R_OK) for name, path in _files_of(settings).items()},
        free=shutil.disk_usage(here).free,
        journal_bytes=size_of(files["journal"]) if "journal" in files else 0,
        busy=_busy(settings),
        running=worker_lag(data) is not None,
        files=_file_limit(),
        now=clocks.system_ms(),
        clock=(data / "clock").read_text().strip() if (data / "clock").exists() else "",
        journal_newest=newest,
        partitions=partitions,
        ledger_version=version,
        logic=logic,
        backup=last_backup(data),
    )


@contextmanager
def _opened(files: Mapping[str, Path], part: str) -> Iterator[sqlite3.Connection | None]:
    """A connection to a store; None where it is no file, or not there yet."""
    if part not in files:
        yield None
        return
    with translated(files[part]), closing(connect(files[part])) as connection:
        yield connection


def _nearest(path: Path) -> Path:
    """The path itself, or the first folder above it that is there."""
    return next(place for place in (path, *path.parents) if place.exists())


def _folder(path: Path, here: Path) -> Folder:
    mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o700
    return Folder(path.exists(), os.access(here, os.W_OK | os.X_OK), mode, _file_system(here))


def _file_system(path: Path) -> str:
    """Of the mount with the longest name that the path is under."""
    mounts = Path("/proc/mounts")
    if not mounts.exists():
        return ""
    found = [line.split()[1:3] for line in mounts.read_text().splitlines()]
    over = [(len(point), kind) for point, kind in found if path.resolve().is_relative_to(point)]
    return max(over, default=(0, ""))[1]


def _files_of(settings: Settings) -> dict[str, Path]:
    """Files that settings name."""
    named = {e.setting.variable: e.value for e in settings.effective.values() if "_tls_" in e.setting.name}
    return {name: path for name, path in named.items() if isinstance(path, Path)}


def _busy(settings: Settings) -> dict[str, str]:
    ports = {"ULLAGE_API_PORT": (settings.api_host, settings.api_port)}
    ports["ULLAGE_MQTT_PORT"] = (settings.mqtt_host, settings.mqtt_port)
    if settings.mqtt_tls_port is not None:
        ports["ULLAGE_MQTT_TLS_PORT"] = (settings.mqtt_host, settings.mqtt_tls_port)
    found = {name: compose.why_not_free(host, port) for name, (host, port) in ports.items()}
    return {name: why for name, why in found.items() if why}


def _file_limit() -> int:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]  # the gateway raises its own up to here
    return UNLIMITED if hard == resource.RLIM_INFINITY else hard


def _processor() -> frozenset[str]:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return frozenset(next((line.split(":")[1].split() for line in lines if line.startswith("flags")), []))


def _missing() -> Iterator[str]:
    """Requirements of the installed product that its environment does not meet."""
    for wanted in metadata.requires(INSTALLED) or []:
        name = re.match(r"[\w.-]+", wanted)
        if name is None or "extra ==" in wanted:
            continue
        try:
            version = metadata.version(name[0])
        except metadata.PackageNotFoundError:
            yield f"{wanted} (not there)"
            continue
        if not fits(version, wanted):
            yield f"{wanted} (there is {version})"


def fits(version: str, wanted: str) -> bool:
    """Does a version meet the bounds `>=`, `==` and `<` of a requirement?"""
    ours = _numbers(version)
    compare = {">=": ours.__ge__, "<": ours.__lt__}
    return all(
        ours[: len(bound)] == bound if sign == "==" else compare[sign](bound)
        for sign, bound in ((sign, _numbers(text)) for sign, text in re.findall(r"(>=|==|<)\s*([\d.]+)", wanted))
    )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version.split("+", maxsplit=1)[0])[:3])
