"""Every connection is an open file: enough of them for a fleet, or an error that says what to do."""

import resource

from devices_sim.errors import BadState

OTHERS = 256
"""Files that are no connection of a device: the truth, the suppliers, the API, libraries."""


def allow_files(devices: int) -> int:
    """Raise this process's limit of open files as far as `devices` connections need; the limit that holds now.

    Raises BadState where the hard limit is too low."""
    wanted = devices + OTHERS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return soft
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise BadState(
            f"{devices} devices need {wanted} open files, but this process may have {hard} at most: "
            f"`ulimit -Hn {wanted}` as root, LimitNOFILE={wanted} in a service, or fewer --devices"
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted
