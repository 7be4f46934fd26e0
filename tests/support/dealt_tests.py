"""The first tests of each worker: the longest ones, so that no worker ends long after the rest.

xdist cuts the tests into one part for each worker, and a worker without tests takes some from the
end of another's part. A long test there would begin when all else is done.
"""

from collections.abc import Sequence
from itertools import chain

import pytest

#: Files of long tests, the longest first. Each of their tests can run anywhere.
LONG_TESTS = (
    "test_benchmarks",
    "test_api_promises",
    "test_kills_of_servers",
    "test_queue_model",
    "test_kills",
    "test_generated_clients",
)
#: Files whose tests share what takes long to make, such as an environment, a browser with a loaded
#: page, or a database: one worker runs these files.
LONG_FILES = (
    ("test_domain_model",),
    ("test_ui",),
    ("test_docs_page",),
    ("test_image", "test_ci_snippets"),
    ("test_lowest_versions",),
    ("test_fresh_venv",),
    ("test_query_plans",),
    ("test_statement_counts",),
)


def longest_first(items: Sequence[pytest.Item], *, workers: int) -> list[pytest.Item]:
    """Deal the long tests to the workers, and give each an equal part of the others after them."""
    long = [[each] for name in LONG_TESTS for each in _of_files(items, name)]
    long += filter(None, (_of_files(items, *names) for names in LONG_FILES))
    dealt_out = {*LONG_TESTS, *chain(*LONG_FILES)}
    rest = [each for each in items if each.path.stem not in dealt_out]
    dealt: list[pytest.Item] = []
    for number in range(workers):
        own = [each for some in long[number::workers] for each in some]
        # xdist's parts: as many tests as each of the workers left could have.
        size = (len(items) - len(dealt)) // (workers - number)
        others = rest[: max(0, size - len(own))]
        del rest[: len(others)]
        dealt += [*own, *others]
    assert len(dealt) == len(items)
    return dealt


def _of_files(items: Sequence[pytest.Item], *names: str) -> list[pytest.Item]:
    return [each for each in items if each.path.stem in names]
