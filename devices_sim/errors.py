"""What can go wrong, as messages that say what happened, to what, and what to do."""


class SimulatorError(Exception):
    """A devices_sim error that a person can act on."""


class BadScenario(SimulatorError):
    """The scenario file says something that is not understood."""


class Unavailable(SimulatorError):
    """The product does not answer, or answers what it should not."""


class BadState(SimulatorError):
    """The state folder does not fit this run."""
