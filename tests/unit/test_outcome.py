"""Four outcomes, and what decides between them."""

import pytest

from leanbe_emitter.delivery.attempt.outcome import classify
from leanbe_emitter.delivery.network.transport import Answer, Unknown, Unreachable
from leanbe_emitter.storage.schema.states import Outcome
from leanbe_emitter.wire.assumptions.assumption_set import ARTICLE, AssumptionSet, Success


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_any_2xx_accepts(status: int) -> None:
    assert classify(Answer(status=status), ARTICLE) is Outcome.DELIVERED


@pytest.mark.parametrize("status", [101, 199, 300, 302, 304, 400, 410, 429, 500, 503, 999])
def test_every_other_answer_refuses(status: int) -> None:
    assert classify(Answer(status=status), ARTICLE) is Outcome.REFUSED


@pytest.mark.parametrize(("status", "outcome"), [(200, "delivered"), (204, "refused")])
def test_under_200_only_nothing_but_200_accepts(status: int, outcome: str) -> None:
    assert classify(Answer(status=status), AssumptionSet(success=Success.ONLY_200)) == outcome


def test_no_byte_out_is_unreachable() -> None:
    assert classify(Unreachable("connection refused by ::1:8000"), ARTICLE) is Outcome.UNREACHABLE


def test_half_an_answer_is_unknown_whatever_its_status() -> None:
    half = Unknown("the connection ended early", answer=Answer(status=200))
    assert classify(half, ARTICLE) is Outcome.UNKNOWN
