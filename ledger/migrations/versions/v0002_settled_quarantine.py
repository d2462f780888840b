"""What became of quarantined input: why it was settled, how it was corrected, where it went."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

HELD = sa.text("state = 'held'")


def upgrade() -> None:
    op.add_column("quarantine", sa.Column("note", sa.Text(), server_default="", nullable=False))
    op.add_column("quarantine", sa.Column("fixed", sa.LargeBinary(), nullable=True))
    op.add_column("quarantine", sa.Column("partition", sa.Integer(), nullable=True))
    op.add_column("quarantine", sa.Column("offset", sa.BigInteger(), nullable=True))
    op.create_index("ix_quarantine_held", "quarantine", ["account_id", "id"], sqlite_where=HELD, postgresql_where=HELD)
