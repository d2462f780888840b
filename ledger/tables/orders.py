"""Needs, the buyer's orders, the supplier's purchase orders, and why each was made.

`units` are of stock (floats: a top-up uses parts of one), `quantity` is in packs.
"""

from sqlalchemy import JSON, CheckConstraint, Column, Float, Index, Integer, String, Table, Text, UniqueConstraint, text

from ledger.tables.columns import flag, key, ms, ref, version, word
from ledger.types import Amount, Id, metadata

need = Table(
    "need",
    metadata,
    key(),
    Column("uuid", String(36), nullable=False),  # models.effects.need_id
    ref("slot_id", "slot"),
    Column("cycle", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    ref("account_id", "account"),
    ref("site_id", "site"),
    Column("shard", Integer, nullable=False),
    ref("product_id", "product"),
    Column("units", Float, nullable=False),  # of stock that one refill takes
    ref("order_line_id", "order_line", nullable=True, index=True),  # that answers it; one line answers several needs
    Column("state", Integer, nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
    flag("released"),
    Column("cause", Integer, nullable=False),
    word("channel", 16),
    flag("urgent"),
    flag("sandbox"),
    Column("mode", Integer, nullable=False),  # the ordering mode that step knew
    word("request", default=""),
    ms("deadline"),
    ms("opened"),
    ms("closed", nullable=True),
    Column("evidence", JSON, nullable=False),  # models.effects.Evidence
    UniqueConstraint("slot_id", "cycle", "attempt"),
    UniqueConstraint("uuid"),
    CheckConstraint("state BETWEEN 0 AND 4", name="state"),
    sqlite_autoincrement=True,
)
Index(
    "uq_need_open",
    need.c.slot_id,
    unique=True,
    sqlite_where=text("state = 0"),
    postgresql_where=text("state = 0"),
)
Index("ix_need_account", need.c.account_id, need.c.id)
Index("ix_need_site_product", need.c.site_id, need.c.product_id, need.c.state)
Index("ix_need_state_shard", need.c.state, need.c.shard)

order = Table(
    "orders",  # "order" is a word of SQL
    metadata,
    key(),
    ref("account_id", "account"),
    ref("site_id", "site"),
    Column("shard", Integer, nullable=False),
    ref("supplier_id", "supplier"),
    word("state", 24),  # models.orders
    word("channel", 16),  # device, forecast, web, api, phone
    flag("urgent"),
    flag("sandbox"),  # goes through every state, but nothing leaves the house or touches a budget
    word("currency", 3),
    Column("total", Amount, nullable=False, server_default=text("'0'")),
    ms("due_at", nullable=True),  # when the clock moves it next; NULL: never by itself
    word("due_for", 24, default=""),  # what happens then: close, place, approve_by, acknowledge, overdue, rehearse
    ms("window_until", nullable=True),
    ms("approve_by", nullable=True),
    ms("hold_until", nullable=True),
    flag("escalated"),
    word("approved_by", 128, default=""),  # a person, or "policy"
    ms("approved_at", nullable=True),
    ms("placed_at", nullable=True),
    ms("expected", nullable=True),  # median arrival
    ms("overdue_at", nullable=True),  # 99 % of the lead time
    flag("overdue"),
    Column("reason", Text, nullable=False, server_default=""),
    word("reference", 128, default=""),  # the buyer's
    word("blanket_order", 128, default=""),
    word("cost_centre", default=""),
    version(),
    ms("created"),
    ms("changed"),
    sqlite_autoincrement=True,
)
Index("ix_orders_account", order.c.account_id, order.c.id)
Index("ix_orders_draft", order.c.site_id, order.c.supplier_id, order.c.state)
Index(
    "ix_orders_due",
    order.c.due_at,
    sqlite_where=text("due_at IS NOT NULL"),
    postgresql_where=text("due_at IS NOT NULL"),
)

order_line = Table(
    "order_line",
    metadata,
    key(),
    ref("order_id", "orders"),
    Column("line", Integer, nullable=False),
    ref("site_id", "site"),
    ref("product_id", "product"),
    ref("offer_id", "offer"),
    word("supplier_sku"),
    Column("quantity", Integer, nullable=False),  # packs
    Column("pack", Integer, nullable=False),  # units in a pack when it was ordered
    Column("units", Float, nullable=False),  # quantity x pack
    Column("units_needed", Float, nullable=False),  # by its needs; the rest is for MOQ, multiple or a price break
    Column("unit_price", Amount, nullable=False),  # of a pack, frozen
    word("currency", 3),
    Column("amount", Amount, nullable=False),
    Column("price_break", Integer, nullable=False, server_default="1"),  # the break's quantity
    ref("price_list_id", "price_list", nullable=True),
    ref("budget_id", "budget", nullable=True),
    Column("reserved", Amount, nullable=False, server_default=text("'0'")),
    word("state", 24),
    flag("live"),  # counts as on order: proposed or sent, neither delivered wholly, nor cancelled, nor lost
    Column("delivered", Float, nullable=False, server_default="0"),  # units
    Column("cancelled", Float, nullable=False, server_default="0"),  # units, with lost ones
    ms("needed_by"),
    ms("expected"),
    Column("reason", Text, nullable=False, server_default=""),
    ms("created"),
    UniqueConstraint("order_id", "line"),
    CheckConstraint("quantity > 0", name="quantity"),
    sqlite_autoincrement=True,
)
Index(
    "ix_order_line_live",
    order_line.c.site_id,
    order_line.c.product_id,
    sqlite_where=text("live = 1"),
    postgresql_where=text("live"),
)

purchase_order = Table(
    "purchase_order",
    metadata,
    key(),
    ref("order_id", "orders", index=True),
    ref("account_id", "account", index=True),
    ref("supplier_id", "supplier", index=True),
    ref("site_id", "site"),
    word("state", 24),
    word("channel", 16),
    word("currency", 3),
    Column("total", Amount, nullable=False),
    ms("placed_at"),
    ms("sent_at", nullable=True),  # real time when the supplier's end took it
    ms("acknowledged_at", nullable=True),
    version(),
    sqlite_autoincrement=True,
)

purchase_order_line = Table(
    "purchase_order_line",
    metadata,
    key(),
    ref("purchase_order_id", "purchase_order"),
    Column("line", Integer, nullable=False),
    ref("order_line_id", "order_line", index=True),
    ref("product_id", "product"),
    word("supplier_sku"),
    Column("quantity", Integer, nullable=False),  # packs
    Column("unit_price", Amount, nullable=False),
    word("currency", 3),
    word("state", 24),
    flag("accepted"),
    flag("refused"),
    Column("shipped", Integer, nullable=False, server_default="0"),  # packs, as models.orders.LineBooks
    Column("delivered", Integer, nullable=False, server_default="0"),
    Column("cancelled", Integer, nullable=False, server_default="0"),
    Column("lost", Integer, nullable=False, server_default="0"),
    Column("over", Integer, nullable=False, server_default="0"),  # delivered beyond what was ordered
    Column("reason", Text, nullable=False, server_default=""),
    ms("needed_by"),
    ms("expected", nullable=True),
    UniqueConstraint("purchase_order_id", "line"),
    sqlite_autoincrement=True,
)

delivery = Table(
    "delivery",
    metadata,
    key(),
    ref("purchase_order_line_id", "purchase_order_line", index=True),
    word("kind", 16),  # shipped, announced, delivered, inferred, confirmed, returned, lost
    Column("quantity", Integer, nullable=False),  # packs
    Column("note", Text, nullable=False, server_default=""),
    word("by", 128),
    ms("ts"),
    word("key", 128),  # a repeated call changes nothing
    UniqueConstraint("key"),
    sqlite_autoincrement=True,
)

approval = Table(
    "approval",
    metadata,
    key(),
    ref("order_id", "orders", index=True),
    word("decision", 16),  # approved, rejected, escalated, expired
    word("by", 128),  # a person, or "policy"
    Column("reason", Text, nullable=False, server_default=""),
    Column("amount", Amount, nullable=False),
    word("currency", 3),
    Column("detail", JSON, nullable=False),  # limits and budget that were looked at
    Column("limit_of", Id),  # the person whose limits it used; NULL: nobody's
    ms("ts"),
    sqlite_autoincrement=True,
)
Index("ix_approval_limit_of", approval.c.limit_of, approval.c.ts)

receipt = Table(
    "receipt",
    metadata,
    ref("order_id", "orders", primary_key=True),
    Column("document", JSON, nullable=False),  # ledger.receipts, frozen: nothing in it is computed again
    word("logic", default=""),
    ms("ts"),
)
