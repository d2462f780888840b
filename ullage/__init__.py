"""The command: settings, the one composition root, the supervisor of the roles, the clock, logging, metrics."""

__version__ = "0.1.0"
