"""Progress is computed as the contract says, halves upwards."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leanbe_emitter.wire.payloads.declarations import key_result_progress, okr_progress

measures = st.floats(min_value=-1e9, max_value=1e9)


@pytest.mark.parametrize(
    ("start", "current", "target", "percent"),
    [
        (40, 50, 60, 50),
        (30, 25, 10, 25),
        (0, 1, 8, 13),
        (0, 1, 200, 1),
        (40, 70, 60, 100),
        (40, 30, 60, 0),
        (5, 5, 5, 100),
        (5, 4, 5, 0),
    ],
)
def test_a_key_result_is_as_far_as_its_measure(
    start: float, current: float, target: float, percent: int
) -> None:
    assert key_result_progress(start=start, current=current, target=target) == percent


def test_an_objective_is_the_mean_of_its_key_results() -> None:
    assert okr_progress([]) == 0
    assert okr_progress([50, 0]) == 25
    assert okr_progress([0, 1]) == 1, "a half is rounded up"
    assert okr_progress([2, 3]) == 3


@given(measures, measures, measures)
def test_progress_is_a_percentage(start: float, current: float, target: float) -> None:
    assert 0 <= key_result_progress(start=start, current=current, target=target) <= 100
