"""Faust transports that read the journal from our own positions: SQLite here, Kafka behind the same contract."""
