"""The garbage collector in the processes of ``worker`` and ``serve``, which are ours alone.

The library does not touch the collector: there the process belongs to the user.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

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
