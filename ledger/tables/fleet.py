"""Devices, their slots, what is on the shelf, and how the slots stand."""

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from ledger.tables.columns import flag, key, ms, ref, version, word
from ledger.types import Id, Millis, Unsigned64, metadata

device = Table(
    "device",
    metadata,
    key(),
    ref("account_id", "account"),
    ref("site_id", "site", index=True),
    ref("model_id", "device_model"),
    word("name"),
    flag("sandbox"),
    flag("retired"),
    flag("ready"),  # its facts are in the journal
    Column("ready_after", Id, nullable=False, server_default="0"),  # the last outbox row of its registration
    Column("credential", LargeBinary(32), nullable=False),  # SHA-256 of the token
    ms("credential_made"),  # real time
    Column("change", Id, nullable=False),  # of the directory: grows with every change of any device
    version(),
    ms("created"),
    Column("credential_before", LargeBinary(32)),  # good beside the newest one, until:
    ms("credential_before_until", nullable=True),  # real time
    UniqueConstraint("account_id", "name"),
    sqlite_autoincrement=True,
)
Index(
    "ix_device_credential_before_until",
    device.c.credential_before_until,
    sqlite_where=text("credential_before_until IS NOT NULL"),
    postgresql_where=text("credential_before_until IS NOT NULL"),
)
Index("ix_device_change", device.c.change)
Index("ix_device_not_ready", device.c.ready_after, sqlite_where=text("ready = 0"), postgresql_where=text("NOT ready"))

slot = Table(
    "slot",
    metadata,
    key(),
    ref("account_id", "account"),
    ref("site_id", "site"),
    ref("device_id", "device"),
    word("name"),
    ref("model_slot_id", "model_slot", nullable=True, index=True),  # NULL: the device's model does not know this name
    ref("slot_class_id", "slot_class", nullable=True),
    ref("product_id", "product", nullable=True),  # NULL: nothing fits; tracked and shown, never ordered
    ref("lane_id", "lane", nullable=True, index=True),  # NULL: nobody offers the product
    Column("meter", Integer, nullable=False),
    Column("counter", Integer, nullable=False, server_default="0"),
    Column("clock", Integer, nullable=False, server_default="-1"),  # the counter that uses it up; -1: the calendar
    Column("refill", Integer, nullable=False),
    Column("capacity", Float, nullable=False),
    word("unit", 32),
    Column("pack_units", Float, nullable=False, server_default="1"),
    Column("quantum", Float, nullable=False, server_default="1"),
    flag("ascending"),
    flag("retired"),
    ms("registered"),
    version(),
    Column("need_version", Id, nullable=False, server_default="0"),  # of the needs' facts: grows over all of them
    UniqueConstraint("device_id", "name"),
    CheckConstraint("meter BETWEEN 0 AND 2", name="meter"),
    CheckConstraint("refill BETWEEN 0 AND 1", name="refill"),
    sqlite_autoincrement=True,
)
Index("ix_slot_site_product", slot.c.site_id, slot.c.product_id)
Index("ix_slot_account", slot.c.account_id, slot.c.id)

stock = Table(
    "stock",
    metadata,
    ref("site_id", "site", primary_key=True),
    ref("product_id", "product", primary_key=True),
    Column("on_hand", Float, nullable=False, server_default="0"),
    version(),
    ms("changed", default=0),
)

stock_movement = Table(
    "stock_movement",
    metadata,
    key(),
    ref("site_id", "site"),
    ref("product_id", "product"),
    word("kind", 16),  # delivered, inferred, used, counted, returned, moved
    Column("units", Float, nullable=False),  # signed
    Column("on_hand", Float, nullable=False),  # afterwards
    word("source", 200),  # what caused it: "refill/40/3", "delivery/17", "request/..."
    word("by", 128, default=""),
    Column("discrepancy", Float, nullable=False, server_default="0"),  # used with nothing on hand, or counted otherwise
    ms("ts"),
    UniqueConstraint("source", "site_id", "product_id"),
    sqlite_autoincrement=True,
)
Index("ix_stock_movement_site", stock_movement.c.site_id, stock_movement.c.product_id, stock_movement.c.id)

refill = Table(
    "refill",
    metadata,
    key(),
    ref("slot_id", "slot"),
    Column("cycle", Integer, nullable=False),  # the cycle that it closed
    Column("kind", Integer, nullable=False),  # models.effects.RefillKind
    ms("ts"),
    Column("boot", Unsigned64, nullable=False),
    Column("seq", Millis, nullable=False),
    Column("level_before", Float, nullable=False),
    Column("level_after", Float, nullable=False),
    Column("units", Float, nullable=False),
    ms("empty_since", default=0),  # 0: it was not empty
    Column("why", Text, nullable=False),
    word("reversed_by", 128, default=""),  # a person said: that was no refill; the cycles merge, both numbers stay
    ms("reversed_at", nullable=True),
    UniqueConstraint("slot_id", "cycle"),
    sqlite_autoincrement=True,
)

usage_day = Table(
    "usage_day",
    metadata,
    ref("slot_id", "slot", primary_key=True),
    Column("day", Integer, primary_key=True),  # local day number since 1970-01-01
    Column("total", Float, nullable=False),  # per cent of a full supply
)

slot_view = Table(
    "slot_view",
    metadata,
    ref("slot_id", "slot", primary_key=True),
    ref("account_id", "account"),
    ref("site_id", "site"),
    Column("cycle", Integer, nullable=False),
    ms("ts"),
    Column("level_low", Float, nullable=False),
    Column("level_high", Float, nullable=False),
    Column("level", Float, nullable=False),
    Column("rate", Float, nullable=False),
    Column("quantiles", JSON, nullable=False),  # ms, at models.depletion.PROBABILITIES
    ms("empty_at"),  # the median of them; units.NEVER if unknown
    Column("probability", Float, nullable=False),
    Column("threshold", Float, nullable=False),
    Column("band", Integer, nullable=False),
    word("status", 32),
    Column("on_hand", Float, nullable=False),
    Column("on_order", Float, nullable=False),
    ms("last_heard"),
    Column("counts_per_day", Float, nullable=False, server_default="0"),  # of the slot's clock; 0: the calendar
)
Index("ix_slot_view_account_empty_at", slot_view.c.account_id, slot_view.c.empty_at, slot_view.c.slot_id)
Index("ix_slot_view_empty_at", slot_view.c.empty_at, slot_view.c.slot_id)
Index("ix_slot_view_site", slot_view.c.site_id, slot_view.c.empty_at)

would_order = Table(
    "would_order",
    metadata,
    ref("slot_id", "slot", primary_key=True),
    Column("cycle", Integer, primary_key=True),
    ref("account_id", "account", index=True),
    ref("site_id", "site"),
    ref("product_id", "product"),
    Column("evidence", JSON, nullable=False),
    ms("ts"),
)

alert = Table(
    "alert",
    metadata,
    key(),
    ref("account_id", "account", nullable=True),
    ref("site_id", "site", nullable=True),
    word("code"),
    word("subject", 128),
    Column("text", Text, nullable=False),
    ms("raised"),
    ms("cleared", nullable=True),
    sqlite_autoincrement=True,
)
Index("ix_alert_account", alert.c.account_id, alert.c.id)
Index(
    "uq_alert_raised",
    alert.c.code,
    alert.c.subject,
    unique=True,
    sqlite_where=text("cleared IS NULL"),
    postgresql_where=text("cleared IS NULL"),
)
