"""The pure core: readings, supply cycles, depletion, demand, policy. No I/O, no clock, no environment, no logging."""
