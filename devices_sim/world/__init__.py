"""The machines, one file per kind, and the world that they stand in."""
