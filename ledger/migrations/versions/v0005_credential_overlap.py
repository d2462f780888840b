"""The credential before the newest, for as long as both are good."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("device", sa.Column("credential_before", sa.LargeBinary(length=32), nullable=True))
    op.add_column("device", sa.Column("credential_before_until", sa.BigInteger(), nullable=True))
    op.create_index(
        "ix_device_credential_before_until",
        "device",
        ["credential_before_until"],
        unique=False,
        sqlite_where=sa.text("credential_before_until IS NOT NULL"),
        postgresql_where=sa.text("credential_before_until IS NOT NULL"),
    )
