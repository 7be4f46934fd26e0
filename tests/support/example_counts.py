"""How many examples a property gets: few in `make test`, all in `make prove`."""

import hypothesis

#: How many hypothesis makes up: in `make test`, and in `make prove`.
EXAMPLES_OF_TEST, EXAMPLES_OF_PROVE = 20, 100


def example_count(count: int) -> int:
    """Return how many to make up in this run, where `make prove` makes up ``count``."""
    return max(1, count * hypothesis.settings().max_examples // EXAMPLES_OF_PROVE)
