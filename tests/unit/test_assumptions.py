"""Every open question is data; every assumption has a field, a default and a check."""

import re
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.wire.assumptions.assumption_set import ARTICLE, AssumptionSet, TriggeredAt
from leanbe_emitter.wire.assumptions.catalogue import (
    ASSUMPTION_NAMES,
    ASSUMPTIONS,
    Kind,
    SettledAt,
    assumption,
    text_of,
)
from leanbe_emitter.wire.assumptions.parsing import (
    changed_assumptions,
    check_assumption,
    parse_assignment,
    parse_assumptions,
)

#: Name, default and the closed list of values, as the contract's part d has them.
CONTRACT = {
    "signature_location": ("body", "body header both"),
    "signature_header": ("X-Leanbe-Signature", ""),
    "signature_scheme": ("hmac", "hmac sha256-payload-secret sha256-secret-payload"),
    "signed_content": ("payload", "payload envelope-without-signature"),
    "triggered_at": ("utc", "utc la-wallclock-with-Z la-offset"),
    "restamp_on_retry": ("false", "true false"),
    "method": ("POST", "POST PUT"),
    "content_type": ("application/json", ""),
    "max_attempts": ("5", ""),
    "backoff": ("5s,30s,2m,10m", ""),
    "timeout": ("10s", ""),
    "success": ("2xx", "2xx 200-only"),
    "follow_redirects": ("false", "true false"),
    "ordering": ("start", "start strict"),
    "events": ("*", ""),
    "regenerate_secret_on_url_change": ("false", "true false"),
    "idea_request_ref_key": ("id", "id _id"),
    "vote_model": ("separate", "separate toggle net"),
    "cascade": ("none", "none updated"),
    "deleted_payload": ("full", "full id"),
    "vote_payload": ("idea-and-customer", "idea-and-customer idea"),
    "customer_fanout": ("all", "all origin"),
    "unset": ("omit", "omit null"),
    "promote_creates_backlog_item": ("true", "true false"),
    "vote_touches_updated_at": ("true", "true false"),
    "pretty_body": ("false", "true false"),
    "include_changes": ("false", "true false"),
    "require_https": ("false", "true false"),
    "require_confirmed": ("false", "true false"),
    "resign_queued": ("false", "true false"),
    "stop_on_gone": ("false", "true false"),
}

NOT_SETTABLE = {"d-10", "d-14", "d-20", "d-22", "d-23", "d-24"}


def texts_of(assumptions: AssumptionSet) -> dict[str, str]:
    """Return every assumption with the text of its value."""
    return {name: text_of(getattr(assumptions, name)) for name in ASSUMPTION_NAMES}


def test_the_assumptions_are_the_contracts_with_its_defaults_and_values() -> None:
    ours = {each.name: (each.default, " ".join(each.values)) for each in ASSUMPTIONS if each.name}
    assert ours == CONTRACT


def test_every_question_of_the_contract_is_there_in_its_order() -> None:
    numbers = list(dict.fromkeys(each.number for each in ASSUMPTIONS))
    assert numbers == [f"d-{number}" for number in range(1, 31)]


def test_a_question_that_cannot_be_set_says_why() -> None:
    silent = [each for each in ASSUMPTIONS if not each.name]
    assert {each.number for each in silent} == NOT_SETTABLE
    assert all(
        "cannot be set" in each.note and each.default and each.kind is None for each in silent
    )


def test_a_set_has_one_field_for_each_assumption_and_no_other() -> None:
    assert [field.name for field in fields(AssumptionSet)] == list(ASSUMPTION_NAMES)


def test_every_assumption_asks_something_and_gives_its_evidence() -> None:
    for each in ASSUMPTIONS:
        assert each.question.endswith("?")
        assert each.evidence.endswith(".")
    assert all(
        each.accepts and each.kind and each.settled_at for each in map(assumption, ASSUMPTION_NAMES)
    )


def test_the_defaults_read_as_the_article() -> None:
    assert parse_assumptions({}) == parse_assumptions(texts_of(ARTICLE)) == ARTICLE
    assert changed_assumptions(ARTICLE) == {}
    assert all(check_assumption(name, text) == text for name, text in texts_of(ARTICLE).items())


def test_a_set_assumption_is_parsed_and_no_other_is_changed() -> None:
    assumptions = parse_assumptions(
        {"triggered_at": "la-offset", "backoff": "1s,500ms", "stop_on_gone": "true"}
    )
    assert assumptions == AssumptionSet(
        triggered_at=TriggeredAt.LA_OFFSET, backoff=(1.0, 0.5), stop_on_gone=True
    )
    assert changed_assumptions(assumptions) == {
        "triggered_at": "la-offset",
        "backoff": "1s,500ms",
        "stop_on_gone": "true",
    }


def test_setting_an_assumption_to_the_articles_value_changes_nothing() -> None:
    assert changed_assumptions(parse_assumptions({"max_attempts": "5", "timeout": "10"})) == {}


@pytest.mark.parametrize(
    ("name", "text", "canonical"),
    [
        ("triggered_at", "LA-wallclock-with-z", "la-wallclock-with-Z"),
        ("method", " put ", "PUT"),
        ("pretty_body", "True", "true"),
        ("max_attempts", "007", "7"),
        ("timeout", "90000ms", "90s"),
        ("backoff", "5, 0.5 ,60", "5s,500ms,1m"),
        ("events", "idea.*, okr.created,idea.*", "idea.*,okr.created"),
        ("signature_header", "x-sig", "x-sig"),
        ("content_type", "application/json; charset=utf-8", "application/json; charset=utf-8"),
    ],
)
def test_a_value_has_one_canonical_text(name: str, text: str, canonical: str) -> None:
    assert check_assumption(name, text) == canonical
    assert check_assumption(name, canonical) == canonical


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("signature_scheme", "md5"),
        ("pretty_body", "yes"),
        ("max_attempts", "0"),
        ("max_attempts", "101"),
        ("max_attempts", "five"),
        ("timeout", "0"),
        ("timeout", "soon"),
        ("backoff", "5s,,10s"),
        ("backoff", ""),
        ("backoff", "5s,-1s"),
        ("events", "idea.*,ideas.created"),
        ("events", ""),
        ("signature_header", "X Leanbe"),
        ("signature_header", ""),
        ("signature_header", "Content-Length"),
        ("signature_header", "X-Sig:"),
        ("content_type", "text/plain\r\nX-Evil: 1"),
        ("content_type", "application/jsön"),
        ("content_type", ""),
        ("method", "GET"),
    ],
)
def test_a_wrong_value_is_refused_with_the_right_ones(name: str, text: str) -> None:
    with pytest.raises(InvalidValue) as refusal:
        check_assumption(name, text)
    assert name in refusal.value.message
    assert repr(text) in refusal.value.message
    assert refusal.value.hint


def test_the_hint_of_a_choice_lists_its_values() -> None:
    with pytest.raises(InvalidValue) as refusal:
        check_assumption("signature_location", "footer")
    assert refusal.value.hint == "It takes body, header or both."


@pytest.mark.parametrize("text", ["", "\x00", "\ud800", "ü", "a\nb"])
def test_rubbish_is_refused_by_every_assumption(text: str) -> None:
    for name in ASSUMPTION_NAMES:
        with pytest.raises(InvalidValue, match=name):
            check_assumption(name, text)


@given(st.sampled_from(ASSUMPTION_NAMES), st.text())
def test_any_text_is_either_refused_or_stable(name: str, text: str) -> None:
    try:
        canonical = check_assumption(name, text)
    except InvalidValue:
        return
    assert check_assumption(name, canonical) == canonical
    assert texts_of(parse_assumptions({name: text}))[name] == canonical


def test_a_wrong_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(InvalidValue) as refusal:
        assumption("max_attempt")
    assert "max_attempts" in refusal.value.hint
    with pytest.raises(InvalidValue, match="no assumption 'from_the_future'"):
        parse_assumptions({"from_the_future": "1"})


def test_an_assignment_is_name_and_value() -> None:
    assert parse_assignment("timeout=2000ms") == ("timeout", "2s")
    assert parse_assignment(" content_type = a/b; c=d") == ("content_type", "a/b; c=d")
    with pytest.raises(InvalidValue, match="no assignment"):
        parse_assignment("timeout")


def test_an_assumption_that_shapes_bytes_is_settled_when_the_event_is_recorded() -> None:
    settled: dict[Any, set[str]] = {}
    for name in ASSUMPTION_NAMES:
        settled.setdefault(assumption(name).settled_at, set()).add(name)
    assert settled[SettledAt.ATTEMPT] == {
        "restamp_on_retry",
        "max_attempts",
        "backoff",
        "timeout",
        "success",
        "follow_redirects",
        "ordering",
        "resign_queued",
        "stop_on_gone",
    }
    assert {"method", "content_type", "unset", "triggered_at"} <= settled[SettledAt.RECORDING]
    assert {"cascade", "require_https", "vote_model"} <= settled[SettledAt.ACTION]


def test_no_data_structure_of_an_assumption_disagrees_with_its_kind() -> None:
    for each in map(assumption, ASSUMPTION_NAMES):
        assert bool(each.values) == (each.kind in {Kind.CHOICE, Kind.BOOLEAN})
        assert re.fullmatch("d-[0-9]+", each.number)
