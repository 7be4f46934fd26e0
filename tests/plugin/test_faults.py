"""Faults in a suite of a user: they are gone with their test, and they have to fire."""

import unittest

import pytest

from leanbe_emitter.testing import LeanbeMixin, Receiver
from tests.support.user_suites import Suite

#: The example of the documentation, word for word.
EXAMPLE = """
import pytest

@pytest.mark.leanbe(clock="manual")
def test_recovers_from_an_outage(leanbe, leanbe_product):
    leanbe.faults.receiver_fails(times=2, how="timeout")   # timeout | refused | reset | status:503 ...; counted, in order, no dice
    leanbe_product.ideas.create(title="Dark mode")
    leanbe.deliver()
    leanbe.clock.advance(hours=1)
    assert [a.outcome for a in leanbe.deliveries.last().attempts] == ["unknown", "unknown", "delivered"]
"""  # noqa: E501 - as it stands there

NEVER_FIRED = """
def test_it(leanbe, leanbe_product):
    leanbe.faults.wrong_secret(event="okr.*")
    leanbe_product.ideas.create(title="Dark mode")
    leanbe.deliver()
"""


def test_the_documented_example_passes(suite: Suite) -> None:
    suite.run(EXAMPLE).assert_outcomes(passed=1)


def test_a_fault_that_never_fired_fails_its_test_and_is_named(suite: Suite) -> None:
    finished = suite.run(NEVER_FIRED)
    finished.assert_outcomes(failed=1)
    finished.stdout.fnmatch_lines(
        [
            "*FaultNeverFired: A fault never fired: wrong_secret for okr.[*]. Was a*",
            "*- leanbe deliveries -*",
            "*attempt 1: delivered 204*",
            "- wrong_secret for okr.[*], fired 0 of 1 times",
        ]
    )


def test_it_does_not_where_it_need_not_fire(suite: Suite) -> None:
    finished = suite.run("""
        def test_it(leanbe):
            leanbe.faults.wrong_secret(must_fire=False)

        def test_that_is_sorry(leanbe):
            leanbe.faults.wrong_secret()
            leanbe.faults.clear()
    """)
    finished.assert_outcomes(passed=2)


def test_the_tests_own_error_comes_before_its_unfired_faults(suite: Suite) -> None:
    finished = suite.run("""
        import pytest

        def test_it(leanbe):
            leanbe.faults.wrong_secret()
            assert 1 == 2

        def test_that_is_skipped(leanbe):
            leanbe.faults.wrong_secret()
            pytest.skip("no votes yet")
    """)
    finished.assert_outcomes(failed=1, skipped=1)
    finished.stdout.fnmatch_lines(["*assert 1 == 2"])
    finished.stdout.no_fnmatch_line("*FaultNeverFired*")


def test_a_fault_is_gone_with_its_test(suite: Suite) -> None:
    finished = suite.run("""
        import pytest

        @pytest.fixture
        def leanbe_db(request):
            return f"sqlite:///{request.config.rootpath / 'suite.db'}"

        def test_that_arms(leanbe):
            leanbe.faults.receiver_fails(times=9, must_fire=False)

        def test_that_comes_after(leanbe):
            assert leanbe.faults.list() == []
            assert leanbe.trigger("idea.created").delivered
    """)
    finished.assert_outcomes(passed=2)


def test_a_failed_tests_report_says_what_was_done_on_purpose(suite: Suite) -> None:
    finished = suite.run("""
        def test_it(leanbe):
            leanbe.faults.tampered_payload()
            leanbe.trigger("idea.created")
            leanbe.refute_delivered("idea.created")
    """)
    finished.assert_outcomes(failed=1)
    finished.stdout.fnmatch_lines(
        [
            "*AssertionError: idea.created was delivered once, and was not to be.",
            "*delivered: 204 by the fault tampered_payload",
            "*attempt 1: delivered 204*",
            "*deliberately, by the fault tampered_payload",
            "Armed faults, in the order in which they fire:",
            "- tampered_payload, fired 1 of 1 times",
        ]
    )


class Outages(LeanbeMixin, unittest.TestCase):
    """A suite of a user; ``__test__`` keeps pytest from collecting it here."""

    __test__ = False

    def leanbe_receiver(self) -> Receiver:
        return Receiver(lambda _: 204)

    def test_that_fires(self) -> None:
        self.leanbe.faults.receiver_fails()
        assert self.leanbe.trigger("idea.created").outcome == "unknown"

    def test_that_never_fires(self) -> None:
        self.leanbe.faults.receiver_fails(event="okr.*")
        self.leanbe.trigger("idea.created")


@pytest.mark.parametrize(("name", "errors"), [("test_that_fires", 0), ("test_that_never_fires", 1)])
def test_with_unittest_a_fault_must_fire_too(name: str, errors: int) -> None:
    result = unittest.TestResult()
    Outages(name).run(result)
    assert len(result.errors) == errors
    for _, text in result.errors:
        assert "FaultNeverFired: A fault never fired: receiver_fails:timeout for okr.*." in text
        assert "attempt 1: delivered 204" in text
