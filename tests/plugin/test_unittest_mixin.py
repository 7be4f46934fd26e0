"""``LeanbeMixin``: the same for suites that are written with ``unittest``."""

import sys
import unittest
from typing import ClassVar

import pytest

from leanbe_emitter import ReceivedRequest
from leanbe_emitter.testing import LeanbeMixin, Receiver
from leanbe_emitter.testing.failure_report import MISTAKES_OF_PROCESS
from leanbe_emitter.testing.probes import PROBES_OF_PROCESS
from tests.support.user_suites import Suite


@pytest.fixture(autouse=True)
def _no_report_so_far() -> None:
    """Begin each test as a run of its own: a process shows the long list of mistakes once."""
    MISTAKES_OF_PROCESS.is_shown = False
    PROBES_OF_PROCESS.found.clear()


class Votes(LeanbeMixin, unittest.TestCase):
    """A suite of a user; ``__test__`` keeps pytest from collecting it here."""

    __test__ = False
    leanbe_options: ClassVar = {"assume": {"max_attempts": "1"}}
    bodies: ClassVar[list[bytes]] = []

    def leanbe_receiver(self) -> Receiver:
        return Receiver(self.receive, path="/hooks/leanbe", secret="whsec_test")

    def receive(self, request: ReceivedRequest) -> int:
        self.bodies.append(request.body)
        return 204 if b"idea.created" in request.body else 401

    def test_a_vote(self) -> None:
        self.leanbe_product.ideas.create(title="Dark mode")
        self.leanbe.deliver()
        self.leanbe.assert_delivered("idea.created", times=1)

    def test_the_usual_product(self) -> None:
        assert self.leanbe.trigger("idea.created").delivered

    def test_that_fails(self) -> None:
        self.leanbe.trigger("idea.updated")
        self.leanbe.assert_delivered("idea.updated")

    def test_in_parts(self) -> None:
        for event, receives in (("idea.created", True), ("idea.updated", False)):
            with self.subTest(event=event):
                assert self.leanbe.trigger(event).delivered is receives
        with self.subTest("wrong"):
            self.leanbe.assert_delivered("idea.updated")
        assert self.leanbe.trigger("idea.created").delivered

    def test_that_is_skipped(self) -> None:
        self.skipTest("no votes yet")

    @unittest.expectedFailure
    def test_that_is_known_to_fail(self) -> None:
        self.fail("no vote")


class Unsaid(LeanbeMixin, unittest.TestCase):
    """A suite that does not define its receiver."""

    __test__ = False

    def test_it(self) -> None:
        self.leanbe.trigger("idea.created")


def ran(case: unittest.TestCase) -> unittest.TestResult:
    """Run one test as ``python -m unittest`` does."""
    result = unittest.TestResult()
    case.run(result)
    return result


@pytest.mark.parametrize("name", ["test_a_vote", "test_the_usual_product"])
def test_two_runs_pass_with_the_same_bytes(name: str) -> None:
    Votes.bodies.clear()
    for _ in range(2):
        assert ran(Votes(name)).wasSuccessful()
    first, second = Votes.bodies
    assert first == second


def test_a_failure_has_a_note_with_what_was_sent() -> None:
    ((_, text),) = ran(Votes("test_that_fails")).failures
    assert "idea.updated was not delivered" in text
    assert "\nleanbe deliveries:\n00:00:00" in text
    assert "attempt 1: refused 401" in text
    assert "You hash the raw body" in text


def test_a_part_that_fails_has_the_note_and_the_other_parts_go_on() -> None:
    result = ran(Votes("test_in_parts"))
    ((part, text),) = result.failures
    assert "[wrong]" in str(part)
    assert "idea.updated was not delivered" in text
    assert "\nleanbe deliveries:\n00:00:00" in text
    assert not result.errors


PLAIN = """
    import unittest
    from leanbe_emitter.testing import LeanbeMixin, Receiver

    class Votes(LeanbeMixin, unittest.TestCase):
        def leanbe_receiver(self):
            return Receiver(lambda request: STATUS, path="/hooks/leanbe", secret="whsec_test")

        def test_a_vote(self):
            idea = self.leanbe_product.ideas.create(title="Dark mode")
            for _ in range(3):
                with self.subTest():
                    self.leanbe_product.ideas.upvote(idea)
            self.leanbe.deliver()
            self.leanbe.assert_delivered("idea.upVoted", times=3)
"""


def test_pythons_own_runner_runs_it_and_no_plugin_is_needed(suite: Suite) -> None:
    passed = plainly(suite, PLAIN.replace("STATUS", "204"))
    assert passed.ret == 0
    passed.stderr.fnmatch_lines(["Ran 1 test in *", "OK"])
    failed = plainly(suite, PLAIN.replace("STATUS", "401"))
    assert failed.ret == 1
    failed.stderr.fnmatch_lines(
        ["*idea.upVoted was *", "leanbe deliveries:", "*refused 401*", "*You hash the raw body*"]
    )


def plainly(suite: Suite, test: str) -> pytest.RunResult:
    suite.write(test, "")
    return suite.pytester.run(sys.executable, "-W", "error", "-m", "unittest", "test_suite")


def test_skipped_and_expected_failures_are_counted_as_usual() -> None:
    assert len(ran(Votes("test_that_is_skipped")).skipped) == 1
    assert len(ran(Votes("test_that_is_known_to_fail")).expectedFailures) == 1


def test_without_a_receiver_the_method_to_write_is_named() -> None:
    ((_, text),) = ran(Unsaid("test_it")).errors
    assert "Unsaid does not define its receiver. Define the method leanbe_receiver" in text


def test_an_app_is_stopped_before_the_tests_own_end(suite: Suite) -> None:
    finished = suite.run(
        """
        import unittest
        from leanbe_emitter.testing import LeanbeMixin, Receiver

        steps = []

        async def app(scope, receive, send):
            if scope["type"] == "http":
                await send({"type": "http.response.start", "status": 204, "headers": []})
                await send({"type": "http.response.body"})
                return
            for step in ("startup", "shutdown"):
                steps.append((await receive())["type"])
                await send({"type": f"lifespan.{step}.complete"})

        class Votes(LeanbeMixin, unittest.TestCase):
            def leanbe_receiver(self):
                return Receiver(app)

            def tearDown(self):
                steps.append("tearDown")

            def test_a(self):
                assert self.leanbe.trigger("idea.created").delivered

            def test_b(self):
                assert steps == ["lifespan.startup", "lifespan.shutdown", "tearDown"]
        """,
        conftest="",
    )
    finished.assert_outcomes(passed=2)
