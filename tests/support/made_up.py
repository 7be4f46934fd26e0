"""How many examples a property gets: few in `make test`, all in `make prove`."""

import hypothesis

#: How many hypothesis makes up: in `make test`, and in `make prove`.
FEW, MANY = 20, 100


def examples(count: int) -> int:
    """Return how many to make up in this run, where `make prove` makes up ``count``."""
    return max(1, count * hypothesis.settings().max_examples // MANY)
