"""The first tests of each worker: the longest ones, so that no worker ends long after the rest.

xdist cuts the tests into one part for each worker, and a worker without tests takes some from the
end of another's part. A long test there would begin when all else is done.
"""

from collections.abc import Sequence

import pytest

#: Files of long tests, the longest first. Each of their tests can run anywhere.
LONG_TESTS = (
    "test_kills_of_servers",
    "test_api_promises",
    "test_queue_model",
    "test_kills",
    "test_benchmarks",
)
#: Files whose tests share what takes long to make, such as an environment: one worker runs a file.
LONG_FILES = ("test_domain_model", "test_lowest_versions", "test_fresh_venv", "test_image")


def longest_first(items: Sequence[pytest.Item], *, workers: int) -> list[pytest.Item]:
    """Deal the long tests to the workers, and give each an equal part of the others after them."""
    long = [[each] for name in LONG_TESTS for each in _of_file(items, name)]
    long += filter(None, (_of_file(items, name) for name in LONG_FILES))
    rest = [each for each in items if each.path.stem not in {*LONG_TESTS, *LONG_FILES}]
    size = -(-len(rest) // workers)
    dealt = []
    for number in range(workers):
        dealt += [each for some in long[number::workers] for each in some]
        dealt += rest[number * size : (number + 1) * size]
    assert len(dealt) == len(items)
    return dealt


def _of_file(items: Sequence[pytest.Item], name: str) -> list[pytest.Item]:
    return [each for each in items if each.path.stem == name]
