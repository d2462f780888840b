"""Who wants to be told of events, over which channel, and how far each was told."""

from sqlalchemy import JSON, BigInteger, CheckConstraint, Column, Integer, Table

from ledger.tables.columns import flag, key, ms, ref, word
from ledger.types import metadata

subscription = Table(
    "subscription",
    metadata,
    key(),
    ref("account_id", "account", nullable=True, index=True),  # NULL: of operators, events of all accounts
    word("name"),
    word("channel", 16),
    word("target", 512),  # a URL, or an e-mail address
    word("secret", 128, default=""),  # of a webhook; kept in clear, for each message is signed with it
    Column("kinds", JSON, nullable=False),  # patterns: "order.*"
    ms("digest_ms", nullable=True),  # one message in so much domain time; NULL: each event at once
    ms("digest_at", nullable=True),  # when the next one is due
    Column("position", BigInteger, nullable=False),  # events up to this id were told
    Column("round", Integer, nullable=False, server_default="0"),  # grows when events are told again
    flag("paused"),
    ms("created"),
    CheckConstraint("channel IN ('webhook', 'email')", name="channel"),
    sqlite_autoincrement=True,
)

risk = Table(  # a stock-out risk is told once in a cycle
    "risk",
    metadata,
    ref("slot_id", "slot", primary_key=True),
    Column("cycle", Integer, nullable=False),
    ms("ts"),
)
