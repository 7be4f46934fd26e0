"""Descriptors of the process: how many sockets and files it may have open."""

import resource
from contextlib import suppress

#: Number of connections that a server has without a setting, at most.
_MOST_CONNECTIONS = 2048


def raise_descriptor_limit() -> None:
    """Raise the soft limit to the hard one; leave it where the system refuses that."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def connections_by_default() -> int:
    """Return how many connections a server may have: half of the descriptors, up to a bound.

    The other half is for deliveries and for the database. The bound keeps the memory of the
    connections small, however many descriptors there are.
    """
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return _MOST_CONNECTIONS
    return max(1, min(soft // 2, _MOST_CONNECTIONS))
