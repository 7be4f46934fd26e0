"""Noise that is not the receiver's fault leaves a check unproven: no finding, and no pass."""

import itertools
from collections.abc import Callable

import pytest

from leanbe_emitter.conformance.observation import ObservationFailed
from leanbe_emitter.conformance.report import Report
from leanbe_emitter.delivery.network.transport import Answer, OutgoingRequest, Unreachable
from leanbe_emitter.errors import ReceiverUnavailable
from tests.support.checked_receivers import check_in_process, example, found, ids_of, transport_to
from tests.support.flaw_matrix import FORGERIES

#: Flawed in everything that the noise could hide.
FLAWED = ("signature_skipped", "not_idempotent", "dedupe_by_id", "deletion_forgotten")


class Failing:
    """A transport to an example receiver that answers otherwise from some request on."""

    def __init__(self, flaw: str, *, after: int, how: Callable[[], Answer]) -> None:
        self._to_receiver = transport_to(example(flaw))
        self._left = after
        self._how = how

    async def send(self, request: OutgoingRequest) -> Answer:
        self._left -= 1
        return await self._to_receiver.send(request) if self._left >= 0 else self._how()

    async def aclose(self) -> None:
        """Nothing is open."""


def limited() -> Answer:
    return Answer(status=429, reason="Too Many Requests")


def dead() -> Answer:
    raise Unreachable("connection refused")


def check(flaw: str, *, after: int, how: Callable[[], Answer]) -> Report:
    return check_in_process(
        example(flaw), observe=None, transport=Failing(flaw, after=after, how=how)
    )


@pytest.mark.parametrize("how", [limited, dead])
@pytest.mark.parametrize("after", [8, 20, 30])
def test_a_receiver_that_falls_over_has_no_finding_that_a_right_one_has_not(
    after: int, how: Callable[[], Answer]
) -> None:
    report = check("none", after=after, how=how)
    assert found(report) == frozenset()
    assert "control was accepted before" in " ".join(each.got for each in report.results)


@pytest.mark.parametrize("how", [limited, dead])
def test_a_receiver_that_falls_over_passes_no_forgery_by_that(how: Callable[[], Answer]) -> None:
    report = check("signature_skipped", after=8, how=how)
    assert not FORGERIES & ids_of("pass", report=report)
    assert ids_of("pass", report=report) == {"control.plain"}


@pytest.mark.parametrize("flaw", ["none", *FLAWED])
def test_an_observation_that_changes_by_itself_proves_nothing(flaw: str) -> None:
    ticks = itertools.count()
    receiver = example(flaw)
    report = check_in_process(
        receiver, "idempotency.*", "order.*", observe=lambda: {"now": next(ticks)}
    )
    assert found(report) == frozenset()
    assert ids_of("pass", report=report) == frozenset()
    assert "changes by itself" in report.results[0].got


@pytest.mark.parametrize("period", [2, 3, 5, 7, 11])
def test_a_change_now_and_then_by_somebody_else_is_no_finding(period: int) -> None:
    receiver, readings = example("none"), itertools.count()

    def observe() -> object:
        return receiver.state.observation() | {"visits": next(readings) // period}

    report = check_in_process(receiver, "idempotency.*", "order.*", observe=observe)
    assert found(report) == frozenset()


def test_an_observation_without_a_number_or_list_proves_nothing() -> None:
    report = check_in_process(example("not_idempotent"), "idempotency.*", observe=lambda: "ok")
    assert found(report) == ids_of("pass", report=report) == frozenset()
    assert "no event has an effect" in report.results[0].got


def test_an_observation_that_fails_at_first_ends_the_run_before_anything_is_sent() -> None:
    receiver = example("none")

    def observe() -> object:
        raise ObservationFailed("no database")

    with pytest.raises(ObservationFailed, match="no database"):
        check_in_process(receiver, observe=observe)
    assert receiver.state.observation()["effects"] == 0


def test_an_observation_that_fails_later_leaves_the_rest_unproven() -> None:
    receiver, readings = example("not_idempotent"), itertools.count()

    def observe() -> object:
        if next(readings) > 6:
            raise ObservationFailed("the database is gone")
        return receiver.state.observation()

    report = check_in_process(receiver, "idempotency.*", observe=observe)
    assert found(report) == frozenset()
    assert "the database is gone" in report.results[-1].got


def test_a_receiver_that_nobody_answers_for_is_unavailable() -> None:
    with pytest.raises(ReceiverUnavailable, match="connection refused"):
        check("none", after=0, how=dead)
