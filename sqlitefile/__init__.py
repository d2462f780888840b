"""What all our SQLite files have in common, whatever they keep: connections, transactions, locks, versions, errors."""
