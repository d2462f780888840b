"""Subscriptions to events, and which stock-out risks were told."""

import sqlalchemy as sa
from alembic import op

from ledger.types import Id

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "subscription",
        sa.Column("id", Id, nullable=False),
        sa.Column("account_id", Id, nullable=True),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("target", sa.String(length=512), nullable=False),
        sa.Column("secret", sa.String(length=128), server_default="", nullable=False),
        sa.Column("kinds", sa.JSON(), nullable=False),
        sa.Column("digest_ms", sa.BigInteger(), nullable=True),
        sa.Column("digest_at", sa.BigInteger(), nullable=True),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("round", sa.Integer(), server_default="0", nullable=False),
        sa.Column("paused", sa.Boolean(), server_default=sa.text("FALSE"), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("channel IN ('webhook', 'email')", name=op.f("ck_subscription_channel")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_subscription_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscription")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_subscription_account_id"), "subscription", ["account_id"], unique=False)
    op.create_table(
        "risk",
        sa.Column("slot_id", Id, nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("ts", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["slot_id"], ["slot.id"], name=op.f("fk_risk_slot_id")),
        sa.PrimaryKeyConstraint("slot_id", name=op.f("pk_risk")),
    )
    notices = sa.text("kind = 'webhook'")
    op.create_index("ix_outbox_target", "outbox", ["target", "id"], sqlite_where=notices, postgresql_where=notices)
