"""What all tests share."""

import signal

from hypothesis import settings

# A time limit of one example would fail where another process has the processor; pytest limits whole tests.
settings.register_profile("ullage", deadline=None)
settings.load_profile("ullage")

# A shell that puts the suite into the background has it, and so every process that a test starts, ignore Ctrl-C.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
