"""Calendars and slot classes, for all partitions; lanes, for their site's."""

from collections.abc import Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from ledger import meta
from ledger.facts.outgoing import bump, chunks, put_facts
from ledger.tables import calendar, lane, site, slot_class
from models.facts import CalendarFact, ClassFact, LaneFact
from models.outbox import ALL


def enqueue_calendars(tx: Connection, ids: Sequence[int]) -> None:
    bump(tx, calendar, ids)
    incarnation = meta.layout(tx).incarnation
    for chunk in chunks(ids):
        rows = tx.execute(select(calendar).where(calendar.c.id.in_(chunk)).order_by(calendar.c.id))
        put_facts(
            tx,
            (
                (
                    f"calendar/{row.id}",
                    ALL,
                    CalendarFact(
                        version=row.version,
                        incarnation=incarnation,
                        calendar=row.id,
                        starts=row.starts,
                        weights=row.weights,
                        open_days=row.open_days,
                        first_day=_local_day(row.first, row.time_zone),
                    ),
                )
                for row in rows
            ),
        )


def _local_day(at: int, zone: str) -> int:
    """Number since 1970-01-01 of the local day that begins at `at` (ms)."""
    return datetime.fromtimestamp(at / 1000, ZoneInfo(zone)).toordinal() - date(1970, 1, 1).toordinal()


def enqueue_classes(tx: Connection, ids: Sequence[int]) -> None:
    bump(tx, slot_class, ids)
    incarnation = meta.layout(tx).incarnation
    for chunk in chunks(ids):
        rows = tx.execute(select(slot_class).where(slot_class.c.id.in_(chunk)).order_by(slot_class.c.id))
        put_facts(
            tx,
            (
                (
                    f"class/{row.id}",
                    ALL,
                    ClassFact(
                        version=row.version,
                        incarnation=incarnation,
                        slot_class=row.id,
                        rate=row.rate,
                        rate_cv2=row.rate_cv2,
                        dispersion=row.dispersion,
                        kappa=row.kappa,
                        eta=row.eta,
                        half_slow=row.half_slow,
                        z=tuple(row.z),
                    ),
                )
                for row in rows
            ),
        )


def enqueue_lanes(tx: Connection, ids: Sequence[int]) -> None:
    bump(tx, lane, ids)
    incarnation, partitions = meta.layout(tx)
    for chunk in chunks(ids):
        query = select(lane, site.c.shard).join(site, site.c.id == lane.c.site_id).where(lane.c.id.in_(chunk))
        put_facts(
            tx,
            (
                (
                    f"lane/{row.id}",
                    row.shard % partitions,
                    LaneFact(
                        version=row.version,
                        incarnation=incarnation,
                        lane=row.id,
                        site=row.site_id,
                        grid_ms=tuple(row.grid_ms),
                        cutoff_ms=row.cutoff_ms,
                    ),
                )
                for row in tx.execute(query.order_by(lane.c.id))
            ),
        )
