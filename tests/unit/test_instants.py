"""An instant is printed by one assumption, and parsed in UTC only (contract d-4)."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leanbe_emitter.clock import RANGE
from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.wire.assumptions.assumption_set import TriggeredAt
from leanbe_emitter.wire.instants import (
    parse_given_instant,
    parse_instant,
    print_instant,
    print_milliseconds,
)

SUMMER = datetime(2023, 6, 29, 6, 56, 57, 472_000, tzinfo=UTC)
WINTER = datetime(2023, 12, 29, 6, 56, 57, 472_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("instant", "style", "printed"),
    [
        (SUMMER, TriggeredAt.UTC, "2023-06-29T06:56:57.472Z"),
        (SUMMER, TriggeredAt.LA_WALLCLOCK_WITH_Z, "2023-06-28T23:56:57.472Z"),
        (SUMMER, TriggeredAt.LA_OFFSET, "2023-06-28T23:56:57.472-07:00"),
        (WINTER, TriggeredAt.UTC, "2023-12-29T06:56:57.472Z"),
        (WINTER, TriggeredAt.LA_WALLCLOCK_WITH_Z, "2023-12-28T22:56:57.472Z"),
        (WINTER, TriggeredAt.LA_OFFSET, "2023-12-28T22:56:57.472-08:00"),
    ],
)
def test_each_value_of_triggered_at_prints_the_instant_its_own_way(
    instant: datetime, style: TriggeredAt, printed: str
) -> None:
    assert print_instant(instant, style) == printed


def test_the_articles_assumption_is_utc() -> None:
    tokyo = timezone(timedelta(hours=9))
    assert print_instant(SUMMER.astimezone(tokyo)) == "2023-06-29T06:56:57.472Z"


def test_milliseconds_are_cut_off_and_always_three() -> None:
    assert print_instant(SUMMER.replace(microsecond=999_999)).endswith(":57.999Z")
    assert print_instant(SUMMER.replace(microsecond=0)).endswith(":57.000Z")


def test_a_naive_datetime_names_no_instant() -> None:
    with pytest.raises(InvalidValue, match="has no time zone"):
        print_instant(SUMMER.replace(tzinfo=None))


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_printed_instant_is_read_back_to_the_millisecond(instant: datetime) -> None:
    read = parse_instant(print_instant(instant))
    assert timedelta(0) <= instant - read < timedelta(milliseconds=1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2023-06-29",
        "2023-06-29T06:56:57Z",
        "2023-06-29T06:56:57.472",
        "2023-06-29T06:56:57.472+00:00",
        "2023-02-30T06:56:57.472Z",
        "2023-06-29T24:56:57.472Z",
        "\uff12023-06-29T06:56:57.472Z",
        "2023-06-29T06:56:57.472Z\n",
    ],
)
def test_other_forms_are_refused(text: str) -> None:
    with pytest.raises(InvalidValue, match="is no instant"):
        parse_instant(text)


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("2023-06-29T06:56:57.472Z", "2023-06-29T06:56:57.472Z"),
        ("2023-06-29T06:56:57Z", "2023-06-29T06:56:57.000Z"),
        ("2023-06-29t06:56:57z", "2023-06-29T06:56:57.000Z"),
        ("2023-06-29T06:56:57.4Z", "2023-06-29T06:56:57.400Z"),
        ("2023-06-29T06:56:57.4729999999Z", "2023-06-29T06:56:57.472Z"),
        ("2023-06-29T00:56:57.472+02:00", "2023-06-28T22:56:57.472Z"),
        ("2023-06-29T06:56:57-07:30", "2023-06-29T14:26:57.000Z"),
        ("2023-06-29T06:56:57-00:00", "2023-06-29T06:56:57.000Z"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999Z"),
    ],
)
def test_a_given_instant_may_have_any_form_of_rfc_3339(text: str, printed: str) -> None:
    assert print_instant(parse_given_instant(text)) == printed


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_given_instant_has_no_microseconds(instant: datetime) -> None:
    assert parse_given_instant(instant.isoformat()) == parse_instant(print_instant(instant))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2023-06-29",
        "2023-06-29T06:56Z",
        "2023-06-29T06:56:57",
        "2023-06-29T06:56:57.Z",
        "2023-06-29 06:56:57Z",
        "2023-06-29T06:56:57+0200",
        "2023-06-29T06:56:57+24:00",
        "2023-02-30T06:56:57Z",
        "2023-06-29T24:00:00Z",
        "\uff12023-06-29T06:56:57Z",
        "2023-06-29T06:56:57Z\n",
    ],
)
def test_a_text_that_names_no_instant_by_rfc_3339_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue, match="is no instant"):
        parse_given_instant(text)


@pytest.mark.parametrize(
    "text", ["0000-01-01T00:00:00Z", "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01"]
)
def test_a_year_that_there_is_not_is_named_as_what_is_wrong(text: str) -> None:
    with pytest.raises(InvalidValue, match="is out of range") as refused:
        parse_given_instant(text)
    assert repr(text) in refused.value.message
    assert refused.value.hint == "Use a year from 0001 to 9999, in UTC."


@pytest.mark.parametrize("text", ["0000-01-01T00:00:00Z", "2105-12-31T22:00:00-05:00"])
def test_an_instant_of_another_year_than_is_wanted_is_named_as_it_was_written(text: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        parse_given_instant(text, within=RANGE)
    assert refused.value.message == f"{text!r} is out of range."
    assert refused.value.hint == "Use a year from 1971 to 2105, in UTC."


@pytest.mark.parametrize("text", ["1970-12-31T20:00:00-05:00", "2105-12-31T23:59:59.999Z"])
def test_an_instant_counts_by_its_year_in_utc(text: str) -> None:
    assert RANGE[0] <= parse_given_instant(text, within=RANGE) < RANGE[1]


@given(st.integers(-(10**12), 4 * 10**12), st.sampled_from(TriggeredAt))
def test_milliseconds_are_printed_as_the_instant_that_they_are(
    milliseconds: int, style: TriggeredAt
) -> None:
    instant = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    assert print_milliseconds(milliseconds, style) == print_instant(instant, style)
