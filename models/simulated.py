"""Domain time of a simulated world that runs `speed` times as fast, as arithmetic: it reads no clock itself."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timeline:
    """Domain time t0 + (boot time - m0) x speed, all in ms; boot time is CLOCK_BOOTTIME of the machine."""

    t0: int
    m0: int
    speed: float

    def at(self, boot_ms: int) -> int:
        return self.t0 + int((boot_ms - self.m0) * self.speed)
