"""People, whose tokens and approvals these are. Who could approve by a token still can: the token gets its person."""

from collections import defaultdict

import sqlalchemy as sa
from alembic import op

from ledger.types import Id

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

APPROVING = ("approver", "account_admin")


def upgrade() -> None:
    _person()
    _of_person()
    op.add_column("token", sa.Column("scopes", sa.String(length=128), server_default="", nullable=False))
    _people_of_tokens(op.get_bind())


def _person() -> None:
    op.create_table(
        "person",
        sa.Column("id", Id, nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("all_accounts", sa.Boolean(), server_default=sa.text("FALSE"), nullable=False),
        sa.Column("supplier_id", Id, nullable=True),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("ended", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["supplier_id"], ["supplier.id"], name=op.f("fk_person_supplier_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("email", name=op.f("uq_person_email")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "person_account",
        sa.Column("person_id", Id, nullable=False),
        sa.Column("account_id", Id, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_person_account_account_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_person_account_person_id")),
        sa.PrimaryKeyConstraint("person_id", "account_id", name=op.f("pk_person_account")),
    )


def _of_person() -> None:
    op.create_table(
        "person_link",
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("person_id", Id, nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_person_link_person_id")),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_person_link")),
    )
    op.create_table(
        "token_person",
        sa.Column("token_id", Id, nullable=False),
        sa.Column("person_id", Id, nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_token_person_person_id")),
        sa.ForeignKeyConstraint(["token_id"], ["token.id"], name=op.f("fk_token_person_token_id")),
        sa.PrimaryKeyConstraint("token_id", name=op.f("pk_token_person")),
    )
    op.create_index("ix_token_person_person_id", "token_person", ["person_id"], unique=False)


def _people_of_tokens(tx: sa.Connection) -> None:
    """Tokens of the same name, role and accounts are the same person's."""
    token = sa.table("token", *map(sa.column, ("id", "person", "role", "created", "revoked")))
    granted = sa.table("token_account", sa.column("token_id"), sa.column("account_id"))
    accounts: dict[int, list[int]] = defaultdict(list)
    for row in tx.execute(sa.select(granted).order_by(granted.c.account_id)):
        accounts[row.token_id].append(row.account_id)
    of: dict[tuple[str, str, tuple[int, ...]], list[sa.Row[tuple[object, ...]]]] = defaultdict(list)
    live = sa.select(token).where(token.c.role.in_(APPROVING), token.c.revoked.is_(None)).order_by(token.c.id)
    for row in tx.execute(live):
        of[row.person, row.role, tuple(accounts[row.id])].append(row)
    for number, (who, rows) in enumerate(of.items(), 1):
        _make(tx, number, *who, rows)


def _make(
    tx: sa.Connection,
    number: int,
    name: str,
    role: str,
    accounts: tuple[int, ...],
    tokens: list[sa.Row[tuple[object, ...]]],
) -> None:
    person = sa.table("person", *map(sa.column, ("id", "name", "role", "created")))
    tx.execute(person.insert().values(id=number, name=name, role=role, created=tokens[0].created))
    for account_id in accounts:
        mine = sa.table("person_account", sa.column("person_id"), sa.column("account_id"))
        tx.execute(mine.insert().values(person_id=number, account_id=account_id))
    for token in tokens:
        theirs = sa.table("token_person", sa.column("token_id"), sa.column("person_id"))
        tx.execute(theirs.insert().values(token_id=token.id, person_id=number))
