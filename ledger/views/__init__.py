"""What people and programs read of the ledger: one file per noun. Rows are dicts; every function takes a Scope."""
