"""Version of the logic. Replaying a journal gives the same decisions for one version of it only."""

LOGIC = "4"
