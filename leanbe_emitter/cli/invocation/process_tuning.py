"""Tuning of the processes of ``worker`` and ``serve``: their descriptors and garbage collector.

The library does not touch the collector: there the process belongs to the user.
"""

import gc
import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress

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


#: How many new objects, less deleted ones, start a collection of the young generation. Python's
#: default is 700 or 2000. A turn's deliveries and answers are more than that, and they go after the
#: turn without the collector, because they form no cycles.
YOUNG_OBJECTS = 50_000


@contextmanager
def infrequent_garbage_collection() -> Iterator[None]:
    """Run the collector rarely, and on fewer objects, until the block ends.

    Imported modules and open objects live as long as the process. They are frozen, so that the
    collector does not traverse them for nothing.
    """
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
