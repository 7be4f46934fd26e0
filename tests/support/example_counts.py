"""Number of examples of a property test: few in `make test`, all in `make prove`."""

import hypothesis

#: Number of hypothesis's examples in `make test`, and in `make prove`.
EXAMPLES_OF_TEST, EXAMPLES_OF_PROVE = 20, 100


def example_count(count: int) -> int:
    """Return the number of examples in this run, if `make prove` uses ``count``."""
    return max(1, count * hypothesis.settings().max_examples // EXAMPLES_OF_PROVE)
