"""Faults as users ask for them: kinds, parts, and combinations."""

import pytest

from leanbe_emitter import InvalidValue
from leanbe_emitter.library.setup.faults import Faults
from leanbe_emitter.wire.faults.catalogue import FAULT_KINDS, KIND_NAMES, ActsOn, FaultSpec


@pytest.mark.parametrize("kind", KIND_NAMES)
def test_each_kind_is_a_method_of_that_name(kind: str) -> None:
    assert callable(getattr(Faults, kind))


@pytest.mark.parametrize("kind", FAULT_KINDS, ids=KIND_NAMES)
def test_each_kind_says_what_the_receiver_sees_and_has_a_default(kind: object) -> None:
    found = next(each for each in FAULT_KINDS if each is kind)
    assert found.meaning.endswith(".")
    assert bool(found.how) == bool(found.default)
    assert found.check_how(None) == found.default
    if found.default:
        assert found.check_how(found.default) == found.default


def test_only_what_acts_on_the_wire_needs_one() -> None:
    assert [each.name for each in FAULT_KINDS if each.needs_wire] == [
        "slow_body",
        "connection_closed",
    ]
    assert {each.acts_on for each in FAULT_KINDS} == set(ActsOn)


@pytest.mark.parametrize(
    ("kind", "how", "text"),
    [
        ("receiver_fails", None, "receiver_fails:timeout"),
        ("receiver_fails", "refused", "receiver_fails:refused"),
        ("receiver_fails", "status:0503", "receiver_fails:status:503"),
        ("receiver_fails:status:429", None, "receiver_fails:status:429"),
        ("delivered_late", "90m", "delivered_late:90m"),
        ("delivered_late", "3600", "delivered_late:1h"),
        ("not_delivered", None, "not_delivered"),
        ("delivered_twice + wrong_secret", None, "wrong_secret+delivered_twice"),
        ("delivered_late:1h+receiver_fails:reset", None, "receiver_fails:reset+delivered_late:1h"),
    ],
)
def test_a_misbehaviour_has_one_text(kind: str, how: str | None, text: str) -> None:
    misbehaviour = FaultSpec.parse(kind, how)
    assert str(misbehaviour) == text
    assert FaultSpec.from_text(text) == misbehaviour == FaultSpec.parse(text)


@pytest.mark.parametrize(
    ("kind", "how", "message"),
    [
        ("receiver_fail", None, r"no fault 'receiver_fail'.*Did you mean receiver_fails"),
        ("slow-body", None, "no fault 'slow-body'.*Did you mean slow_body"),
        ("", None, "no fault ''"),
        ("receiver_fails", "timeouts", r"has no how 'timeouts'.*Did you mean timeout"),
        ("receiver_fails", "again", "has no how 'again'"),
        ("receiver_fails", "status:CODE", "'CODE' is no status"),
        ("receiver_fails", "status:204", "'204' is no status.*from 300 to 599"),
        ("receiver_fails", "status:600", "'600' is no status"),
        ("receiver_fails", "status:" + "9" * 5000, "is no status"),
        ("receiver_fails", "", "has no how ''"),
        ("receiver_fails_after_call", "refused", "has no how 'refused'"),
        ("delivered_twice", "again", "takes no how: 'again'"),
        ("delivered_out_of_order", "overtakes", "'overtakes' is no duration"),
        ("delivered_late", "DURATION", "'DURATION' is no duration"),
        ("delivered_late", "0s", "'0s' is no time"),
        ("connection_closed", "1s", "has no how '1s'.*Use close or reset"),
        ("wrong_secret+delivered_late", "1h", "not clear which part of .* how='1h' belongs to"),
        ("wrong_secret+wrong_secret", None, "exclude each other.*each kind once"),
        ("wrong_secret+missing_signature", None, "exclude each other"),
        ("delivered_late+delivered_twice", None, "Only one of them can change the schedule"),
        ("receiver_fails+receiver_fails_after_call", None, "can change the receiver"),
        ("receiver_fails+wrong_secret", None, "sends no request"),
        ("receiver_fails+slow_body", None, "sends no request"),
        ("not_delivered+wrong_secret", None, "exclude each other"),
        ("not_delivered+receiver_fails", None, "exclude each other"),
    ],
)
def test_a_fault_that_cannot_be_asked_for_is_refused(
    kind: str, how: str | None, message: str
) -> None:
    with pytest.raises(InvalidValue, match=message):
        FaultSpec.parse(kind, how)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("receiver_fails:status:503", "Here: the receiver answers with this status"),
        ("delivered_twice:again", "Here: the second request."),
        ("delivered_late:10m", "the delivery waits before its attempt."),
        ("wrong_secret+delivered_twice", "It must not verify. The same request twice"),
    ],
)
def test_an_attempts_fault_is_explained(text: str, told: str) -> None:
    explained = FaultSpec.from_text(text).description()
    assert explained.startswith(f"The fault {text} was applied on purpose.")
    assert told in explained
