import pytest

# What a suite in this process loads would be loaded by each one anew.
import leanbe_emitter.testing.handle  # noqa: F401
from tests.support.user_suites import Suite


@pytest.fixture
def suite(pytester: pytest.Pytester) -> Suite:
    """The suite of a user."""
    return Suite(pytester)
