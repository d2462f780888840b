"""The commands, grouped by who uses them; each module lists its own in COMMANDS."""
