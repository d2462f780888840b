"""The ledger's shape over time, one revision per file in versions/; `ledger.migrate.upgrade` runs them."""

HEAD = "0008"
"""The newest revision. Known without Alembic, which takes as long to import as all else that a start does here."""
