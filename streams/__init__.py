"""From the journal to decisions: the Faust app, its transports, partition state and checkpoints."""
