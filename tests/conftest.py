"""What all tests share."""

from hypothesis import settings

# A time limit of one example would fail where another process has the processor; pytest limits whole tests.
settings.register_profile("ullage", deadline=None)
settings.load_profile("ullage")
