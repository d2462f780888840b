"""History of levels, usage and measures."""
