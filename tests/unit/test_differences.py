"""Whether a payload holds what is expected of it, and the words for where it does not."""

from typing import Any
from unittest.mock import ANY

import pytest

from leanbe_emitter.wire.payloads.differences import differences

PAYLOAD = {
    "title": "Dark mode",
    "upvotes": 1,
    "promoted": False,
    "tags": [{"title": "ui", "_id": "1"}, {"title": "web", "_id": "2"}],
    "customer": {"email": "ana@example.com", "firstName": "Ana"},
    "image": None,
}


@pytest.mark.parametrize(
    "expected",
    [
        {},
        {"title": "Dark mode"},
        {"customer": {"email": "ana@example.com"}},
        {"tags": [{"title": "ui"}, {}]},
        {"tags": ({"title": "ui"}, ANY)},
        {"upvotes": 1.0, "image": None},
        {"customer": ANY, "promoted": ANY},
        {"upvotes": pytest.approx(1.01, abs=0.1)},
        PAYLOAD,
    ],
)
def test_a_payload_holds_any_part_of_itself(expected: Any) -> None:
    assert differences(expected, PAYLOAD) == []


@pytest.mark.parametrize(
    ("expected", "said"),
    [
        ({"title": "dark"}, "title: expected 'dark', got 'Dark mode'"),
        ({"upvotes": True}, "upvotes: expected True, got 1"),
        ({"promoted": 0}, "promoted: expected 0, got False"),
        ({"customer": {"email": "x"}}, "customer.email: expected 'x', got 'ana@example.com'"),
        ({"tags": [{"title": "ui"}]}, "tags: expected 1 elements, got 2"),
        ({"tags": [{}, {"title": "x"}]}, "tags[1].title: expected 'x', got 'web'"),
        ({"tags": {"title": "ui"}}, "tags: expected {'title': 'ui'}, got [{'title': 'ui', "),
        ({"image": {}}, "image: expected {}, got None"),
        (
            {"customer": {"firstname": "Ana"}},
            "customer.firstname: expected 'Ana', and it is missing. Did you mean firstName?",
        ),
        ({"x": 1}, "x: expected 1, and it is missing."),
        ([], "payload: expected [], got {'title': "),
    ],
)
def test_a_difference_is_named_with_its_place(expected: Any, said: str) -> None:
    (found,) = differences(expected, PAYLOAD)
    assert found.startswith(said)


def test_every_difference_is_named() -> None:
    expected = {"title": "x", "customer": {"email": "x", "firstName": "Ana"}, "upvotes": 2}
    assert [each.partition(":")[0] for each in differences(expected, PAYLOAD)] == [
        "title",
        "customer.email",
        "upvotes",
    ]


def test_long_values_are_cut() -> None:
    (found,) = differences({"title": "x" * 1000}, {"title": "y" * 1000})
    assert len(found) < 200
