"""The conformance checks as tests of pytest, and as subtests of unittest."""

import unittest
import warnings

from leanbe_emitter.testing import ConformanceWarning, LeanbeMixin, Receiver
from tests.support.checked_receivers import SECRET, all_ids, as_function, example
from tests.support.user_suites import Suite

#: A suite whose receiver has a flaw; FLAW is its name.
CONFTEST = """
import pytest
from leanbe_emitter.testing import Receiver
from tests.support.checked_receivers import SECRET, as_function, example

@pytest.fixture
def example_receiver():
    return example("FLAW")

@pytest.fixture
def leanbe_receiver(example_receiver):
    return Receiver(as_function(example_receiver), path="/hooks/leanbe", secret=SECRET)

@pytest.fixture
def leanbe_observe(example_receiver):
    return example_receiver.state.observation
"""
TEST = """
from leanbe_emitter.testing import parametrize_with_checks

@parametrize_with_checks(CHECKS)
def test_it_conforms(leanbe_check):
    leanbe_check()
"""


def suite_of(flaw: str, checks: str = "") -> dict[str, str]:
    """Return the text of a suite with these arguments of the decorator."""
    return {"test": TEST.replace("CHECKS", checks), "conftest": CONFTEST.replace("FLAW", flaw)}


def test_a_right_receiver_passes_a_test_for_each_check(suite: Suite) -> None:
    result = suite.run(**suite_of("none"), using=[])
    needing_a_network = 6
    result.assert_outcomes(passed=len(all_ids()) - needing_a_network, skipped=needing_a_network)


def test_a_failure_says_what_was_sent_what_came_and_the_line_to_change(suite: Suite) -> None:
    result = suite.run(**suite_of("not_idempotent", '"idempotency.*", exclude=["*.same_payload"]'))
    result.assert_outcomes(failed=1, passed=2, skipped=2)
    result.stdout.fnmatch_lines(
        [
            "*test_it_conforms?idempotency.duplicate?*",
            "idempotency.duplicate (must): Leanbe may send an event again:*",
            "  sent      an event, and the same bytes again",
            "  expected  2xx, one effect",
            "  got       204 No Content, moved *effects +2*",
            "  fix       if not insert_seen*",
        ]
    )


def test_an_unproven_check_is_skipped_with_its_reason_and_a_crash_is_a_warning(
    suite: Suite,
) -> None:
    unproven = suite_of("none", '"idempotency.duplicate"')
    unproven["conftest"] = unproven["conftest"].partition("@pytest.fixture\ndef leanbe_obs")[0]
    result = suite.run(unproven["test"], "-rs", conftest=unproven["conftest"])
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*idempotency.duplicate: nothing shows what*"])
    result = suite.run(**suite_of("timing_throws", '"signature.missing"'))
    result.assert_outcomes(failed=1)  # the suite has warnings as errors
    result.stdout.fnmatch_lines(["*ConformanceWarning: signature.missing (must)*"])


def test_a_receiver_that_verifies_nothing_yet_fails_once(suite: Suite) -> None:
    result = suite.run(**suite_of("spaces_written", '"control.plain", "signature.*"'))
    result.assert_outcomes(failed=1, skipped=14)
    result.stdout.fnmatch_lines(["control.plain (must): *"])


def test_an_asynchronous_test_awaits_the_check(suite: Suite) -> None:
    test = suite_of("none", '"signature.missing", "idempotency.duplicate"')
    test["test"] = (
        "import pytest\n" + test["test"].replace("def test", "async def test", 1)
    ).replace("    leanbe_check()", "    await leanbe_check()")
    test["test"] = test["test"].replace("@param", "@pytest.mark.asyncio\n@param")
    scope = ("-o", "asyncio_default_fixture_loop_scope=function")
    result = suite.run(test["test"], *scope, conftest=test["conftest"], using=["asyncio"])
    result.assert_outcomes(passed=2)


def test_a_wrong_id_names_the_nearest_and_the_fixture_alone_says_what_it_needs(
    suite: Suite,
) -> None:
    result = suite.run(**suite_of("none", '"signature.mising"'))
    result.stdout.fnmatch_lines(["*No check matches 'signature.mising'*signature.missing*"])
    result = suite.run("def test(leanbe_check): pass")
    result.stdout.fnmatch_lines(["*parametrize_with_checks*"])


class Conforming(LeanbeMixin, unittest.TestCase):
    """A suite of a user; ``__test__`` keeps pytest from collecting it here."""

    __test__ = False
    flaw = "none"

    def setUp(self) -> None:
        super().setUp()
        self.example = example(self.flaw)

    def leanbe_receiver(self) -> Receiver:
        return Receiver(as_function(self.example), secret=SECRET)

    def leanbe_observe(self) -> object:
        return self.example.state.observation()

    def test_it_conforms(self) -> None:
        self.assert_conforms(exclude=["durability.*"])


def _run(flaw: str) -> unittest.TestResult:
    case = type("Flawed", (Conforming,), {"flaw": flaw})("test_it_conforms")
    result = unittest.TestResult()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConformanceWarning)
        case.run(result)
    return result


def test_unittest_has_a_subtest_for_each_check() -> None:
    right = _run("none")
    assert (right.failures, right.errors, len(right.skipped)) == ([], [], 4)
    wrong = _run("leak_secret")
    ((case, said),) = wrong.failures
    assert "leak.secret" in str(case)
    assert SECRET not in said
