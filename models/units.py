"""Units of the domain: time is int64 milliseconds since 1970-01-01T00:00:00Z, a level is per cent of a full supply."""

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
NEVER = 1 << 62
"""A time that does not come: later than any reading, and safe to add a few years to in int64."""
