"""Who may do what, and who did what. Times are real unless it is said."""

from sqlalchemy import JSON, Column, Index, Integer, LargeBinary, String, Table, UniqueConstraint

from ledger.tables.columns import flag, key, ms, ref, word
from ledger.types import metadata

person = Table(
    "person",
    metadata,
    key(),
    word("name", 128),  # as it stands on approvals and in the audit
    Column("email", String(254)),  # in small letters; NULL: signs in by a link or a token only
    word("role", 16),
    flag("all_accounts"),
    ref("supplier_id", "supplier", nullable=True),  # of role supplier
    ms("created"),
    ms("ended", nullable=True),  # may not come in any more
    UniqueConstraint("email"),
    sqlite_autoincrement=True,
)

person_account = Table(
    "person_account",
    metadata,
    ref("person_id", "person", primary_key=True),
    ref("account_id", "account", primary_key=True),
)

person_link = Table(
    "person_link",  # signs a person in, once
    metadata,
    Column("hash", LargeBinary(32), primary_key=True),
    ref("person_id", "person"),
    ms("expires"),
    ms("used", nullable=True),
)

delegation = Table(
    "delegation",  # `deputy_id` approves in the name of `person_id`, in domain time
    metadata,
    key(),
    ref("person_id", "person", index=True),
    ref("deputy_id", "person", index=True),
    ms("starts"),
    ms("ends"),
    sqlite_autoincrement=True,
)

token = Table(
    "token",
    metadata,
    key(),
    word("name"),
    word("prefix", 16),  # shown, so that a person finds the token again
    Column("hash", LargeBinary(32), nullable=False),  # SHA-256
    word("role", 16),
    word("person", 128),  # what stands in the audit; the name of its person, if it has one
    flag("all_accounts"),
    ref("supplier_id", "supplier", nullable=True),  # of role supplier
    ms("created"),
    ms("expires", nullable=True),
    ms("last_used", nullable=True),
    ms("revoked", nullable=True),
    word("scopes", 128, default=""),  # permissions with blanks between them; "": all of its role
    UniqueConstraint("hash"),
    sqlite_autoincrement=True,
)

token_person = Table(
    "token_person",  # whose token it is; a token without one is a service's
    metadata,
    ref("token_id", "token", primary_key=True),
    ref("person_id", "person", index=True),
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
