"""What ties the ledger to the journal and to the world outside: partitions, requests, events, the outbox."""

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from ledger.tables.columns import flag, key, ms, ref, word
from ledger.types import Id, Unsigned64, metadata

meta = Table(
    "meta",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)

counter = Table(  # "directory": the change number of devices
    "counter",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", Id, nullable=False),
)

partition_owner = Table(
    "partition_owner",
    metadata,
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("epoch", Id, nullable=False),
    word("owner", 128),
    word("journal", 64, default=""),
    Column("offset", BigInteger, nullable=False),  # the next journal offset that the ledger expects
    ms("claimed"),  # real time
)

skipped = Table(
    "skipped",
    metadata,
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("offset", BigInteger, primary_key=True, autoincrement=False),
    Column("index", Integer, primary_key=True, autoincrement=False),  # of the reading in its record; -1: all of it
    word("code"),
    Column("reason", Text, nullable=False),
)

quarantine = Table(
    "quarantine",
    metadata,
    key(),
    ref("account_id", "account", nullable=True),
    ref("device_id", "device", nullable=True, index=True),
    ms("ts"),
    Column("boot", Unsigned64, nullable=False, server_default="0"),
    Column("seq", BigInteger, nullable=False, server_default="0"),
    word("code"),
    Column("reason", Text, nullable=False),
    Column("raw", LargeBinary, nullable=False),
    word("state", 16, default="held"),  # held, discarded, replayed
    word("source", 200),  # identity of what was quarantined: the same is not kept twice
    word("settled_by", 128, default=""),
    ms("settled_at", nullable=True),
    Column("note", Text, nullable=False, server_default=""),  # why, in the words of who settled it
    Column("fixed", LargeBinary),  # what was replayed in its place, if it was corrected
    Column("partition", Integer),  # where it is in the journal as a reading
    Column("offset", BigInteger),
    UniqueConstraint("source"),
    sqlite_autoincrement=True,
)
Index("ix_quarantine_account", quarantine.c.account_id, quarantine.c.id)
HELD = text("state = 'held'")
Index("ix_quarantine_held", quarantine.c.account_id, quarantine.c.id, sqlite_where=HELD, postgresql_where=HELD)

request = Table(
    "request",
    metadata,
    Column("id", String(64), primary_key=True),
    word("kind", 16),
    ref("account_id", "account", index=True),
    ref("site_id", "site"),
    ref("slot_id", "slot", nullable=True),
    word("by", 128),
    Column("body", JSON, nullable=False),
    word("outcome", 16, default=""),  # "": not answered yet
    Column("reason", Text, nullable=False, server_default=""),
    Column("cycle", Integer, nullable=False, server_default="0"),
    Column("attempt", Integer, nullable=False, server_default="0"),
    Column("evidence", JSON(none_as_null=True)),
    ms("created"),
    ms("answered", nullable=True),
)

event = Table(
    "event",
    metadata,
    key(),
    ref("account_id", "account", nullable=True),  # NULL: for operators only
    word("kind"),  # order.proposed, slot.refilled, ...
    word("subject", 128),  # "order/17"
    Column("data", JSON, nullable=False),
    ms("ts"),
    sqlite_autoincrement=True,
)
Index("ix_event_account", event.c.account_id, event.c.id)

task = Table(
    "task",
    metadata,
    key(),
    ref("account_id", "account", nullable=True),
    ref("site_id", "site", nullable=True),
    word("kind", 32),
    word("subject", 128),
    Column("text", Text, nullable=False),
    word("state", 16, default="open"),  # open, done
    word("key", 200),  # the same task is not opened twice
    ms("opened"),
    ms("closed", nullable=True),
    word("closed_by", 128, default=""),
    UniqueConstraint("key"),
    sqlite_autoincrement=True,
)
Index("ix_task_account", task.c.account_id, task.c.state, task.c.id)

outbox = Table(
    "outbox",
    metadata,
    key(),
    Column(
        "kind",
        String(16),
        nullable=False,
    ),
    word("aggregate", 128),  # rows of one aggregate leave in their order
    Column("partition", Integer, nullable=False, server_default="-1"),  # of the journal; -1: all of them
    word("target", 200, default=""),  # who gets it: "supplier/3"; secrets are looked up there at delivery
    Column("payload", LargeBinary, nullable=False),
    word("key", 128),  # idempotency key, the same at each attempt
    Column("state", String(8), nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    ms("next_attempt_at", default=0),  # real time
    ms("leased_until", default=0),  # real time
    word("leased_by", 128, default=""),
    flag("maybe_sent"),  # an attempt ended so that the other side may have got it
    Column("last_error", Text, nullable=False, server_default=""),
    word("verdict", 16, default=""),  # of a dead row: refused, unsent, unknown
    ms("created"),  # real time
    ms("settled_at", nullable=True),  # real time
    UniqueConstraint("key"),
    CheckConstraint("kind IN ('fact', 'request', 'purchase_order', 'webhook')", name="kind"),
    CheckConstraint("state IN ('waiting', 'done', 'dead')", name="state"),
    sqlite_autoincrement=True,
)
UNSETTLED = text("state <> 'done'")
WAITING = text("state = 'waiting'")
NOTICES = text("kind = 'webhook'")
Index("ix_outbox_target", outbox.c.target, outbox.c.id, sqlite_where=NOTICES, postgresql_where=NOTICES)
Index("ix_outbox_due", outbox.c.kind, outbox.c.next_attempt_at, sqlite_where=WAITING, postgresql_where=WAITING)
Index("ix_outbox_waiting", outbox.c.kind, outbox.c.id, sqlite_where=WAITING, postgresql_where=WAITING)
Index("ix_outbox_aggregate", outbox.c.aggregate, outbox.c.id, sqlite_where=UNSETTLED, postgresql_where=UNSETTLED)

listening = Table(
    "listening",
    metadata,
    Column("gateway", String(128), primary_key=True),
    ms("until"),  # domain time of its last report
    ms("accepted"),  # of the time before, for how long it accepted
)
