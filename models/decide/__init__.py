"""Decisions: forecast, cover, guard and lead time of what is due at a tick (LIFECYCLE.md)."""
