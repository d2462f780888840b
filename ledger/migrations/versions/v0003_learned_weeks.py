"""The learned week of each site: what was given, what was seen, which calendar since when."""

import sqlalchemy as sa
from alembic import op

from ledger.types import Id

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "site_week",
        sa.Column("site_id", Id, nullable=False),
        sa.Column("given_calendar_id", Id, nullable=False),
        sa.Column("pinned", sa.Boolean(), server_default=sa.text("FALSE"), nullable=False),
        sa.Column("looked", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(["given_calendar_id"], ["calendar.id"], name=op.f("fk_site_week_given_calendar_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_site_week_site_id")),
        sa.PrimaryKeyConstraint("site_id", name=op.f("pk_site_week")),
    )
    op.create_index("ix_site_week_looked", "site_week", ["looked"], unique=False)
    op.create_table(
        "site_calendar",
        sa.Column("id", Id, nullable=False),
        sa.Column("site_id", Id, nullable=False),
        sa.Column("calendar_id", Id, nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.String(length=16), nullable=False),
        sa.Column("weeks", sa.Float(), server_default="0", nullable=False),
        sa.Column("slots", sa.Integer(), server_default="0", nullable=False),
        sa.Column("why", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("cause IN ('given', 'learned')", name=op.f("ck_site_calendar_cause")),
        sa.ForeignKeyConstraint(["calendar_id"], ["calendar.id"], name=op.f("fk_site_calendar_calendar_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_site_calendar_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site_calendar")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_site_calendar_site", "site_calendar", ["site_id", "id"], unique=False)
    op.create_table(
        "week_evidence",
        sa.Column("site_id", Id, nullable=False),
        sa.Column("model_id", Id, nullable=False),
        sa.Column("form", sa.LargeBinary(), nullable=False),
        sa.Column("slots", sa.Integer(), nullable=False),
        sa.Column("days", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["model_id"], ["device_model.id"], name=op.f("fk_week_evidence_model_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_week_evidence_site_id")),
        sa.PrimaryKeyConstraint("site_id", "model_id", name=op.f("pk_week_evidence")),
    )
    op.create_table(
        "week_class",
        sa.Column("model_id", Id, nullable=False),
        sa.Column("weekdays", sa.JSON(), nullable=False),
        sa.Column("holiday", sa.Float(), nullable=False),
        sa.Column("sites", sa.Integer(), nullable=False),
        sa.Column("fitted", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["model_id"], ["device_model.id"], name=op.f("fk_week_class_model_id")),
        sa.PrimaryKeyConstraint("model_id", name=op.f("pk_week_class")),
    )
    op.execute("INSERT INTO site_week (site_id, given_calendar_id) SELECT id, calendar_id FROM site")
    op.execute(
        "INSERT INTO site_calendar (site_id, calendar_id, since, cause, why)"
        " SELECT id, calendar_id, created, 'given', 'the site is new' FROM site ORDER BY id"
    )
