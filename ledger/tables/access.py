"""Who may do what, and who did what. All times here are real."""

from sqlalchemy import JSON, Column, Index, Integer, LargeBinary, String, Table, UniqueConstraint

from ledger.tables.columns import flag, key, ms, ref, word
from ledger.types import metadata

token = Table(
    "token",
    metadata,
    key(),
    word("name"),
    word("prefix", 16),  # shown, so that a person finds the token again
    Column("hash", LargeBinary(32), nullable=False),  # SHA-256
    word("role", 16),
    word("person", 128),  # approvals name a person, not a token
    flag("all_accounts"),
    ref("supplier_id", "supplier", nullable=True),  # of role supplier
    ms("created"),
    ms("expires", nullable=True),
    ms("last_used", nullable=True),
    ms("revoked", nullable=True),
    UniqueConstraint("hash"),
    sqlite_autoincrement=True,
)

token_account = Table(
    "token_account",
    metadata,
    ref("token_id", "token", primary_key=True),
    ref("account_id", "account", primary_key=True),
)

link = Table(
    "link",
    metadata,
    Column("hash", LargeBinary(32), primary_key=True),
    ref("token_id", "token"),
    ms("expires"),
    ms("used", nullable=True),
)

audit = Table(
    "audit",
    metadata,
    key(),
    ms("ts"),
    word("by", 128),
    ref("account_id", "account", nullable=True),
    word("action"),
    word("subject", 128),
    Column("before", JSON(none_as_null=True)),
    Column("after", JSON(none_as_null=True)),
    sqlite_autoincrement=True,
)
Index("ix_audit_account", audit.c.account_id, audit.c.id)

idempotency = Table(
    "idempotency",
    metadata,
    ref("token_id", "token", primary_key=True),
    Column("key", String(128), primary_key=True),
    Column("fingerprint", LargeBinary(32), nullable=False),  # of method, path and body
    Column("status", Integer, nullable=False),
    word("media_type", 64),
    Column("body", LargeBinary, nullable=False),
    ms("created"),
)
Index("ix_idempotency_created", idempotency.c.created)
