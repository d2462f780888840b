"""The worker: reads the journal through Faust, folds it into state, writes what was decided, takes checkpoints."""
