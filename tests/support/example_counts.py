"""Number of examples of a property test: few in `make test`, all in `make prove`."""

import hypothesis

#: Number of hypothesis's examples in `make test`, and in `make prove`.
EXAMPLES_OF_TEST, EXAMPLES_OF_PROVE = 20, 100


def is_proving() -> bool:
    """Return whether this run uses all examples."""
    return hypothesis.settings().max_examples >= EXAMPLES_OF_PROVE


def example_count(count: int) -> int:
    """Return the number of examples in this run, if `make prove` uses ``count``."""
    return max(1, count * hypothesis.settings().max_examples // EXAMPLES_OF_PROVE)
