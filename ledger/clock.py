"""Real time, for what is not of the domain: back-off, leases, tokens, signatures. Everything else takes `now`."""

import time


def real_ms() -> int:
    """ms since 1970 by the machine's clock."""
    return time.time_ns() // 1_000_000
