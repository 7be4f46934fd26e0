"""The garbage collector of processes that are ours alone: those of ``worker`` and ``serve``.

The library leaves it as it is: there the process is the user's, and so are most of its objects.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

#: How many objects come, net of those that go, before the young ones are looked through. Python's
#: own is 700, or 2000: a turn's deliveries and their answers are more than that, and all are let go
#: of a turn later, without the collector, because they make no circles.
YOUNG_OBJECTS = 50_000


@contextmanager
def infrequent_garbage_collection() -> Iterator[None]:
    """Let the collector look at less, and less often, for as long as the block lasts.

    What was imported and opened before lives as long as the process: frozen, it is never looked
    through again, which was work for nothing.
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
