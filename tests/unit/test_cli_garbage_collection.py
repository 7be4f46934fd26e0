"""The garbage collector: the program's own processes tune it, and the library never does."""

import gc

from leanbe_emitter.cli.invocation.process_tuning import (
    YOUNG_OBJECTS,
    infrequent_garbage_collection,
)
from leanbe_emitter.library import Leanbe


def test_the_collector_looks_at_less_and_less_often_until_the_block_ends() -> None:
    before = gc.get_threshold()
    with infrequent_garbage_collection():
        assert gc.get_threshold() == (YOUNG_OBJECTS, *before[1:])
        assert gc.get_freeze_count() > 0
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0


def test_a_worker_of_the_library_leaves_the_users_collector_alone() -> None:
    before = gc.get_threshold(), gc.get_freeze_count()
    with Leanbe() as leanbe:
        leanbe.work(drain=True)
        assert (gc.get_threshold(), gc.get_freeze_count()) == before
