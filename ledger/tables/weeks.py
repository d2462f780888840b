"""The learned week: what a person gave, what was seen, which calendar a site has had since when."""

from sqlalchemy import JSON, CheckConstraint, Column, Float, Index, Integer, LargeBinary, Table, Text

from ledger.tables.columns import flag, key, ms, ref, word
from ledger.types import metadata

site_week = Table(
    "site_week",
    metadata,
    ref("site_id", "site", primary_key=True),
    ref("given_calendar_id", "calendar"),  # what a person or the default said: the prior
    flag("pinned"),  # nothing is learned
    ms("looked", default=0),  # when its use was last looked at
)
Index("ix_site_week_looked", site_week.c.looked)

site_calendar = Table(
    "site_calendar",
    metadata,
    key(),
    ref("site_id", "site"),
    ref("calendar_id", "calendar"),
    ms("since"),
    word("cause", 16),
    Column("weeks", Float, nullable=False, server_default="0"),  # of evidence
    Column("slots", Integer, nullable=False, server_default="0"),
    Column("why", Text, nullable=False, server_default=""),
    CheckConstraint("cause IN ('given', 'learned')", name="cause"),
    sqlite_autoincrement=True,
)
Index("ix_site_calendar_site", site_calendar.c.site_id, site_calendar.c.id)

week_evidence = Table(
    "week_evidence",
    metadata,
    ref("site_id", "site", primary_key=True),
    ref("model_id", "device_model", primary_key=True),
    Column("form", LargeBinary, nullable=False),  # <f8: a, row by row, then b of models.week.evidence.Evidence
    Column("slots", Integer, nullable=False),
    Column("days", Float, nullable=False),
)

week_class = Table(
    "week_class",
    metadata,
    ref("model_id", "device_model", primary_key=True),
    Column("weekdays", JSON, nullable=False),
    Column("holiday", Float, nullable=False),
    Column("sites", Integer, nullable=False),
    ms("fitted"),
)
