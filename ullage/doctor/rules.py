"""The rules, one function each: what is the case, how bad it is, and what to do about it.

Each gets what the machine is like and the settings, and looks at nothing else."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final

from ledger.migrations import HEAD
from models.units import DAY, MINUTE
from models.version import LOGIC
from ullage.commands.common import moment, sized
from ullage.doctor.contradictions import settings
from ullage.doctor.finding import Finding, fail, ok, warn
from ullage.doctor.machine import UNLIMITED, Machine
from ullage.settings import Settings

Rule = Callable[[Machine, Settings], Iterator[Finding]]

OTHER_FILES: Final = 1_128  # that a gateway may have open beside its connections: half-open ones, files, sockets
LITTLE: Final = 500 * 10**6  # bytes; below this a busy installation stops within the hour
BACKUP_AGE: Final = 7 * DAY
SLACK: Final = MINUTE  # that clocks of a machine may go back when they are set
AHEAD: Final = 30 * DAY  # without a record: a clock that far ahead of the journal is more likely wrong than right
NETWORK: Final = frozenset({"nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "glusterfs", "ceph"})
OLDEST_SQLITE: Final = (3, 35)  # RETURNING


def python(m: Machine, _: Settings) -> Iterator[Finding]:
    said = f"Python {m.python[0]}.{m.python[1]}"
    if m.python == (3, 11):
        yield ok("python", said)
    else:
        yield fail("python", f"{said}, made for 3.11", "install it in an environment of Python 3.11")


def sqlite(m: Machine, _: Settings) -> Iterator[Finding]:
    said = f"SQLite {'.'.join(map(str, m.sqlite))}"
    if m.sqlite >= OLDEST_SQLITE:
        yield ok("sqlite", said)
    else:
        yield fail("sqlite", f"{said} is too old", "use a Python that is built with SQLite 3.35 or newer")


def packages(m: Machine, _: Settings) -> Iterator[Finding]:
    if not m.missing:
        yield ok("packages", "all are there")
    for wanted in m.missing:
        yield fail("packages", f"{wanted} is wanted", "install Ullage anew: pip install --upgrade ullage")


def numba(m: Machine, _: Settings) -> Iterator[Finding]:
    if m.compiled:
        yield ok("numba", "decisions are compiled")
    else:
        yield warn(
            "numba",
            "decisions run in plain Python: about 40 times slower",
            "pip install numba, unset NUMBA_DISABLE_JIT",
        )


def processor(m: Machine, _: Settings) -> Iterator[Finding]:
    wide = sorted(feature for feature in m.processor if feature in {"avx", "avx2", "avx512f"})
    if wide:
        yield ok("processor", f"has {', '.join(wide)}; decisions are the same bits on every one")
    else:
        yield warn("processor", "no AVX that could be seen: slower", "nothing, if it keeps up: ullage status")


def data_folder(m: Machine, s: Settings) -> Iterator[Finding]:
    if not m.data.writable:
        yield fail(
            "permissions",
            f"{s.data} cannot be written by this user",
            "give it to the user that runs Ullage, or set ULLAGE_DATA",
        )
    elif m.data.mode & 0o077:
        yield warn(
            "permissions",
            f"{s.data} can be read by others (mode {m.data.mode:o}): it holds secrets",
            f"chmod 700 {s.data}",
        )
    else:
        yield ok("permissions", f"{s.data} is this user's alone" if m.data.exists else f"{s.data} can be made")
    if not m.orders_writable:
        yield fail(
            "permissions",
            f"{s.purchase_orders} cannot be written: purchase orders wait",
            "give it to the user that runs Ullage, or set ULLAGE_PURCHASE_ORDERS",
        )
    for name, readable in m.readable.items():
        if not readable:
            yield fail(
                "permissions",
                f"the file that {name} names cannot be read",
                "correct the path, or let this user read it",
            )


def file_system(m: Machine, s: Settings) -> Iterator[Finding]:
    if m.data.file_system in NETWORK:
        yield fail(
            "filesystem",
            f"{s.data} is on {m.data.file_system}: SQLite's locks do not hold over a network",
            "move it to a disk of this machine",
        )
    elif m.data.file_system in {"tmpfs", "ramfs"}:
        yield warn(
            "filesystem",
            f"{s.data} is in memory ({m.data.file_system}): it is gone with the power",
            "move it to a disk",
        )
    else:
        yield ok("filesystem", m.data.file_system or "unknown")


def disk(m: Machine, s: Settings) -> Iterator[Finding]:
    grows = max(0, s.journal_most - m.journal_bytes)
    if m.free < LITTLE:
        yield fail(
            "disk",
            f"{sized(m.free)} free: devices will soon have to wait",
            "make room, or move ULLAGE_DATA to another disk",
        )
    elif m.free < grows:
        yield warn(
            "disk",
            f"{sized(m.free)} free, the journal may grow by {sized(grows)} to ULLAGE_JOURNAL_MOST",
            "make room, or lower ULLAGE_JOURNAL_MOST",
        )
    else:
        yield ok("disk", f"{sized(m.free)} free")


def ports(m: Machine, _: Settings) -> Iterator[Finding]:
    if m.busy and m.running:
        yield ok("ports", "in use while this installation runs")
        return
    if not m.busy:
        yield ok("ports", "can be listened on")
    for name, why in m.busy.items():
        yield fail(
            "ports", f"{name} cannot be listened on ({why})", "choose another one, or end the program that has it"
        )


def files(m: Machine, s: Settings) -> Iterator[Finding]:
    wanted = s.mqtt_connections + OTHER_FILES
    if m.files >= wanted:
        yield ok("files", "as many may be open as wanted" if m.files == UNLIMITED else f"{m.files} may be open")
    else:
        yield warn(
            "files",
            f"{m.files} files may be open, {s.mqtt_connections} connections need {wanted}",
            "raise it (ulimit -Hn, LimitNOFILE= of systemd), or lower ULLAGE_MQTT_CONNECTIONS",
        )


def clock(m: Machine, _: Settings) -> Iterator[Finding]:
    newest = m.journal_newest
    if newest is None:
        yield ok("clock", moment(m.now))
    elif m.now < newest - SLACK:
        yield fail(
            "clock",
            f"it is {moment(m.now)}, but the journal has a record of {moment(newest)}: it was set back, and ticks "
            "stand still until it is there again",
            "set the clock (timedatectl)",
        )
    elif m.now > newest + AHEAD:
        yield warn(
            "clock",
            f"it is {moment(m.now)}, the journal's newest record is of {moment(newest)}",
            "if this installation did not rest so long, set the clock before it is started: time never goes back",
        )
    else:
        yield ok("clock", f"{moment(m.now)}, the journal's newest record is of {moment(newest)}")


def versions(m: Machine, s: Settings) -> Iterator[Finding]:
    if m.ledger_version is not None and m.ledger_version > HEAD:
        yield fail(
            "versions",
            f"the ledger has shape {m.ledger_version}, this program knows {HEAD}",
            "use the newer program, or restore a backup",
        )
    elif m.logic - {LOGIC} and not s.accept_logic:
        yield warn(
            "versions",
            f"version {', '.join(sorted(m.logic - {LOGIC}))} of the logic made the checkpoints, this is {LOGIC}",
            "stop the old version cleanly before the new one starts, or start with --accept-logic",
        )
    else:
        yield ok("versions", f"ledger {m.ledger_version or 'not made yet'}, logic {LOGIC}")


def backup(m: Machine, _: Settings) -> Iterator[Finding]:
    if m.clock != "system":
        return  # nothing there yet, or a simulated world
    if m.backup is None:
        yield warn("backup", "there is none", "ullage backup create DIR, on another disk")
        return
    age = m.now - datetime.fromisoformat(m.backup.made).timestamp() * 1000
    said = f"{m.backup.folder}, {age / DAY:.1f} days old"
    if age > BACKUP_AGE:
        yield warn("backup", said, "ullage backup create DIR, daily")
    else:
        yield ok("backup", said)


RULES: Final[tuple[Rule, ...]] = (
    python,
    packages,
    sqlite,
    numba,
    processor,
    data_folder,
    file_system,
    disk,
    ports,
    files,
    clock,
    versions,
    backup,
    settings,
)


def examine(machine: Machine, given: Settings) -> list[Finding]:
    return [finding for rule in RULES for finding in rule(machine, given)]
