"""What can be bought from whom, and which product fits where."""

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Column,
    Float,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from ledger.tables.columns import flag, key, ms, ref, version, word
from ledger.types import Amount, metadata

product = Table(
    "product",
    metadata,
    key(),
    word("sku"),
    word("name", 200),
    word("unit", 32),
    Column("shelf_life_days", Integer),
    ms("created"),
    UniqueConstraint("sku"),
    sqlite_autoincrement=True,
)

supplier = Table(
    "supplier",
    metadata,
    key(),
    word("name"),
    Column("channel", String(16), nullable=False),
    Column("url", Text, nullable=False, server_default=""),
    Column("secret", Text, nullable=False, server_default=""),  # HMAC key; never shown, never in an outbox payload
    ms("cutoff_ms", default=0),  # local time of day of the site; 0: none
    ms("acknowledge_within_ms", nullable=True),  # then a task; NULL: the setting
    flag("retired"),
    ms("created"),
    UniqueConstraint("name"),
    CheckConstraint("channel IN ('file', 'webhook')", name="channel"),
    sqlite_autoincrement=True,
)

offer = Table(
    "offer",
    metadata,
    key(),
    ref("supplier_id", "supplier"),
    ref("product_id", "product", index=True),
    word("supplier_sku"),
    Column("pack", Integer, nullable=False, server_default="1"),  # stock units
    Column("moq", Integer, nullable=False, server_default="1"),  # packs
    Column("multiple", Integer, nullable=False, server_default="1"),
    Column("price", Amount, nullable=False),  # of one pack
    word("currency", 3),
    Column("grid_ms", JSON, nullable=False),  # 16 equally likely lead times, ascending
    flag("retired"),
    ms("created"),
    UniqueConstraint("supplier_id", "product_id"),
    CheckConstraint("pack > 0", name="pack"),
    CheckConstraint("moq > 0", name="moq"),
    CheckConstraint("multiple > 0", name="multiple"),
    sqlite_autoincrement=True,
)

price_break = Table(
    "price_break",
    metadata,
    ref("offer_id", "offer", primary_key=True),
    Column("quantity", Integer, primary_key=True),  # packs, from
    Column("price", Amount, nullable=False),
    CheckConstraint("quantity > 1", name="quantity"),
)

price_list = Table(
    "price_list",
    metadata,
    key(),
    ref("account_id", "account", index=True),
    ref("supplier_id", "supplier"),
    word("name"),
    word("currency", 3),
    ms("valid_from", default=0),
    ms("valid_until", nullable=True),
    UniqueConstraint("account_id", "supplier_id", "name"),
    sqlite_autoincrement=True,
)

price_list_item = Table(
    "price_list_item",
    metadata,
    ref("price_list_id", "price_list", primary_key=True),
    ref("product_id", "product", primary_key=True),
    Column("quantity", Integer, primary_key=True),  # packs, from
    Column("price", Amount, nullable=False),
    CheckConstraint("quantity > 0", name="quantity"),
)

device_model = Table(
    "device_model",
    metadata,
    key(),
    word("name"),
    Column("counters", JSON, nullable=False),  # [{"name", "wrap", "per_day", "usual"}], at most 4
    ms("created"),
    UniqueConstraint("name"),
    sqlite_autoincrement=True,
)

model_slot = Table(
    "model_slot",
    metadata,
    key(),
    ref("model_id", "device_model"),
    word("name"),
    Column("meter", Integer, nullable=False),
    Column("counter", Integer, nullable=False, server_default="0"),
    Column("clock", Integer, nullable=False, server_default="-1"),  # the counter that uses it up; -1: the calendar
    Column("refill", Integer, nullable=False),
    Column("capacity", Float, nullable=False),
    word("unit", 32),
    Column("quantum", Float, nullable=False, server_default="1"),
    flag("ascending"),
    UniqueConstraint("model_id", "name"),
    CheckConstraint("meter BETWEEN 0 AND 2", name="meter"),
    CheckConstraint("refill BETWEEN 0 AND 1", name="refill"),
    CheckConstraint("capacity > 0", name="capacity"),
    sqlite_autoincrement=True,
)

slot_class = Table(
    "slot_class",
    metadata,
    key(),
    ref("model_slot_id", "model_slot"),
    Column("rate", Float, nullable=False),  # columns as in models.facts.ClassFact
    Column("rate_cv2", Float, nullable=False),
    Column("dispersion", Float, nullable=False),
    Column("kappa", Float, nullable=False),
    Column("eta", Float, nullable=False),
    Column("half_slow", Float, nullable=False),
    Column("z", JSON, nullable=False),
    version(),
    UniqueConstraint("model_slot_id"),
    sqlite_autoincrement=True,
)

model_slot_product = Table(
    "model_slot_product",
    metadata,
    ref("model_slot_id", "model_slot", primary_key=True),
    ref("product_id", "product", primary_key=True),
    Column("units", Float, nullable=False),  # refills or capacity units
    Column("preference", Integer, nullable=False, server_default="0"),  # least first
    CheckConstraint("units > 0", name="units"),
)

lane = Table(
    "lane",
    metadata,
    key(),
    ref("site_id", "site"),
    ref("supplier_id", "supplier"),
    word("profile"),  # digest of the offer's lead times: offers of a supplier that take equally long share a lane
    Column("grid_ms", JSON, nullable=False),
    ms("cutoff_ms", default=0),
    version(),
    UniqueConstraint("site_id", "supplier_id", "profile"),
    sqlite_autoincrement=True,
)
