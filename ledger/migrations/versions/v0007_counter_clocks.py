"""Slots that run by a counter of their device: which one, and how fast it runs."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("model_slot", "slot"):
        op.add_column(table, sa.Column("clock", sa.Integer(), server_default="-1", nullable=False))
    op.add_column("slot_view", sa.Column("counts_per_day", sa.Float(), server_default="0", nullable=False))
