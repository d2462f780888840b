"""Approval by people: whose limit was used, delegations, budgets of cost centres, what orders carry."""

import sqlalchemy as sa
from alembic import op

from ledger.types import Amount, Id

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

CARRIED = (("reference", 128), ("blanket_order", 128), ("cost_centre", 64))


def upgrade() -> None:
    for table in ("account", "site"):
        for name, length in CARRIED:
            op.add_column(table, sa.Column(name, sa.String(length=length), server_default="", nullable=False))
    op.add_column("account", sa.Column("escalate_to", Id, nullable=True))
    op.add_column("approval", sa.Column("limit_of", Id, nullable=True))
    op.create_index("ix_approval_limit_of", "approval", ["limit_of", "ts"], unique=False)
    op.create_table(
        "cost_centre",
        sa.Column("account_id", Id, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("monthly_budget", Amount, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_cost_centre_account_id")),
        sa.PrimaryKeyConstraint("account_id", "name", name=op.f("pk_cost_centre")),
    )
    op.create_table(
        "delegation",
        sa.Column("id", Id, nullable=False),
        sa.Column("person_id", Id, nullable=False),
        sa.Column("deputy_id", Id, nullable=False),
        sa.Column("starts", sa.BigInteger(), nullable=False),
        sa.Column("ends", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["deputy_id"], ["person.id"], name=op.f("fk_delegation_deputy_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_delegation_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delegation")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_delegation_deputy_id"), "delegation", ["deputy_id"], unique=False)
    op.create_index(op.f("ix_delegation_person_id"), "delegation", ["person_id"], unique=False)
