"""Accounts, their sites and what they may spend."""

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from ledger.tables.columns import flag, key, ms, ref, version, word
from ledger.types import Amount, Id, metadata

account = Table(
    "account",
    metadata,
    key(),
    word("name"),
    Column("mode", Integer, nullable=False, server_default="1"),
    flag("paused"),
    word("currency", 3),
    Column("service_level", Float, nullable=False, server_default="0.95"),
    ms("review_ms", default=3_600_000),
    ms("window_ms", nullable=True),  # how long a draft collects needs; NULL: the setting
    ms("hold_ms", nullable=True),  # cancel window between approval and placing; NULL: the setting
    ms("approve_within_ms", nullable=True),  # NULL: the setting
    Column("limit_per_order", Amount),  # automatic orders up to this; NULL: no limit
    Column("monthly_budget", Amount),  # what a new month's budget starts with; NULL: no budget is kept
    Column("surge_factor", Float),  # k of LIFECYCLE.md rule 11; NULL: the setting
    flag("shard_by_site"),  # a huge account spreads over shards by site
    word("reference", 128, default=""),  # what new orders carry, unless their site has its own
    word("blanket_order", 128, default=""),
    word("cost_centre", default=""),
    Column("escalate_to", Id),  # the person who is asked when nobody approved in time
    version(),
    ms("created"),
    UniqueConstraint("name"),
    CheckConstraint("service_level > 0 AND service_level < 1", name="service_level"),
    CheckConstraint("length(currency) = 3", name="currency"),
    CheckConstraint("mode BETWEEN 0 AND 3", name="mode"),
    sqlite_autoincrement=True,
)

calendar = Table(
    "calendar",
    metadata,
    key(),
    word("digest"),  # SHA-256 of zone, weights, holidays and open days: sites with the same calendar share one
    word("time_zone"),
    Column("spec", JSON, nullable=False),  # {"weekdays": [7], "holidays": [ISO dates], "open_days": [7]}
    ms("first"),  # ms of the first local midnight covered
    ms("last"),
    Column("starts", LargeBinary, nullable=False),  # as in models.facts.CalendarFact
    Column("weights", LargeBinary, nullable=False),
    Column("open_days", LargeBinary, nullable=False),
    version(),
    UniqueConstraint("digest"),
    sqlite_autoincrement=True,
)

site = Table(
    "site",
    metadata,
    key(),
    ref("account_id", "account"),
    word("name"),
    Column("address", Text, nullable=False, server_default=""),
    word("time_zone"),
    ref("calendar_id", "calendar", index=True),
    Column("shard", Integer, nullable=False),
    Column("mode", Integer, nullable=False, server_default="3"),
    flag("paused"),
    flag("retired"),
    word("reference", 128, default=""),  # "": the account's
    word("blanket_order", 128, default=""),
    word("cost_centre", default=""),
    version(),
    ms("created"),
    UniqueConstraint("account_id", "name"),
    CheckConstraint("shard BETWEEN 0 AND 4095", name="shard"),
    CheckConstraint("mode BETWEEN 0 AND 3", name="mode"),
    sqlite_autoincrement=True,
)

account_product = Table(
    "account_product",
    metadata,
    ref("account_id", "account", primary_key=True),
    ref("product_id", "product", primary_key=True),
    Column("mode", Integer, nullable=False, server_default="3"),
    flag("paused"),
    version(),
    CheckConstraint("mode BETWEEN 0 AND 3", name="mode"),
)

spending_limit = Table(
    "spending_limit",
    metadata,
    key(),
    ref("account_id", "account"),
    word("subject", 128, default=""),  # "person/4", "role/approver"; "": automatic orders
    word("cost_centre", default=""),  # "": all
    Column("per_order", Amount),
    Column("per_span", Amount),
    ms("span_ms", nullable=True),
    word("currency", 3),
    UniqueConstraint("account_id", "subject", "cost_centre"),
    sqlite_autoincrement=True,
)

cost_centre = Table(
    "cost_centre",  # one with a budget of its own; the others spend the account's
    metadata,
    ref("account_id", "account", primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("monthly_budget", Amount, nullable=False),  # what a new month's budget starts with
)

budget = Table(
    "budget",
    metadata,
    key(),
    ref("account_id", "account"),
    word("cost_centre", default=""),  # "": the whole account
    Column("month", String(7), nullable=False),  # 2026-11, in UTC
    word("currency", 3),
    Column("amount", Amount, nullable=False),
    Column("reserved", Amount, nullable=False, server_default=text("'0'")),  # of orders that are not delivered yet
    Column("spent", Amount, nullable=False, server_default=text("'0'")),
    UniqueConstraint("account_id", "cost_centre", "month"),
    sqlite_autoincrement=True,
)

Index("ix_site_shard", site.c.shard)
