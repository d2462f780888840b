"""The ledger's shape over time, one revision per file in versions/; `ledger.migrate.upgrade` runs them."""
