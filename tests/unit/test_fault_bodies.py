"""Bodies under faults: the rest of a body stays, and the same event gives the same bytes."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from leanbe_emitter import InvalidSignature, verify
from leanbe_emitter.wire.assumptions.assumption_set import AssumptionSet
from leanbe_emitter.wire.assumptions.parsing import parse_assumptions
from leanbe_emitter.wire.envelope import with_payload
from leanbe_emitter.wire.event_names import EVENT_NAMES
from leanbe_emitter.wire.faults.bodies import WRONG_SECRET, Draft, apply_to_body, apply_to_draft
from leanbe_emitter.wire.faults.catalogue import FaultSpec
from leanbe_emitter.wire.stringify import stringify

SECRET = "whsec_test"
PAYLOAD = {"_id": "649d2b39", "createdAt": "2023", "tags": [], "title": "Été ☀", "n": 1}
AT = datetime(2026, 11, 24, 8, tzinfo=UTC)


def draft(payload: Any = PAYLOAD, *, assumptions: AssumptionSet | None = None) -> Draft:
    return Draft(
        payload_text=stringify(payload),
        event="idea.created",
        triggered_at=AT,
        secret=SECRET,
        assumptions=assumptions or parse_assumptions({}),
    )


def body_of(text: str, payload: Any = PAYLOAD, **assume: str) -> bytes:
    """Return the body that a fault sends."""
    fault = FaultSpec.parse(text)
    sealed = apply_to_draft(draft(payload, assumptions=parse_assumptions(assume)), fault).sealed()
    return apply_to_body(sealed.body, fault).encode()


def faulty_envelope(text: str, payload: Any = PAYLOAD, **assume: str) -> dict[str, Any]:
    """Return the envelope that a fault sends."""
    envelope: dict[str, Any] = json.loads(body_of(text, payload, **assume))
    return envelope


OWN = json.loads(draft().sealed().body)


def test_a_tampered_payload_differs_in_one_text_and_keeps_its_signature() -> None:
    assert faulty_envelope("tampered_payload") == {
        **OWN,
        "payload": {**PAYLOAD, "title": "Été ☀ (tampered)"},
    }
    with pytest.raises(InvalidSignature, match="changed after it was signed"):
        verify(body_of("tampered_payload"), SECRET)


@pytest.mark.parametrize(
    ("payload", "tampered"),
    [
        ({"_id": "1", "a": [{"id": "2"}, "x"]}, {"_id": "1", "a": [{"id": "2"}, "x (tampered)"]}),
        ({"_id": "1", "updatedAt": "2023"}, "(tampered)"),
        ([], "(tampered)"),
        (3, "(tampered)"),
        ("text", "text (tampered)"),
    ],
)
def test_a_payload_of_any_kind_is_tampered_with(payload: Any, tampered: Any) -> None:
    assert faulty_envelope("tampered_payload", payload)["payload"] == tampered


@pytest.mark.parametrize("pretty", ["true", "false"])
def test_a_tampered_body_is_written_as_it_was(pretty: str) -> None:
    body = body_of("tampered_payload", pretty_body=pretty).decode()
    assert with_payload(body, stringify(PAYLOAD)) == (
        draft(assumptions=parse_assumptions({"pretty_body": pretty})).sealed().body
    )


def test_a_wrong_secret_signs_the_same_payload() -> None:
    assert verify(body_of("wrong_secret"), WRONG_SECRET).payload == PAYLOAD
    with pytest.raises(InvalidSignature, match="another secret signed it"):
        verify(body_of("wrong_secret"), SECRET)


def test_without_a_signature_all_else_is_there() -> None:
    assert faulty_envelope("missing_signature") == {
        name: value for name, value in OWN.items() if name != "signature"
    }


@pytest.mark.parametrize("fault", ["missing_signature", "wrong_secret"])
def test_a_signature_in_a_header_is_concerned_too(fault: str) -> None:
    assumptions = parse_assumptions({"signature_location": "both"})
    before, after = (
        draft(assumptions=assumptions),
        apply_to_draft(draft(assumptions=assumptions), FaultSpec.parse(fault)),
    )
    signatures = [dict(each.sealed().headers).get("X-Leanbe-Signature") for each in (before, after)]
    assert signatures[0] != signatures[1]
    assert (signatures[1] is None) == (fault == "missing_signature")


def test_a_stale_body_verifies_and_is_of_long_ago() -> None:
    envelope = verify(body_of("stale_body:2d"), SECRET)
    assert (envelope.payload, envelope.triggered_at) == (PAYLOAD, "2026-11-22T08:00:00.000Z")


def test_an_unknown_event_verifies_and_is_none_of_the_22() -> None:
    envelope = verify(body_of("unknown_event"), SECRET)
    assert envelope.event == "idea.teleported"
    assert envelope.event not in EVENT_NAMES


@pytest.mark.parametrize("payload", [PAYLOAD, {}, [1]])
def test_an_unknown_field_is_signed_and_at_the_end(payload: Any) -> None:
    envelope = verify(body_of("unknown_field", payload), SECRET)
    assert list(envelope.payload)[-1] == "unknownField"
    known = payload if isinstance(payload, dict) else {"payload": payload}
    assert {**known, "unknownField": "added by a fault"} == envelope.payload


def test_a_truncated_body_is_the_first_half() -> None:
    body = draft().sealed().body
    assert body_of("truncated_body") == body[: len(body) // 2].encode()


def test_several_are_done_to_the_same_body() -> None:
    assert faulty_envelope("unknown_event+tampered_payload+stale_body") == {
        **faulty_envelope("tampered_payload"),
        "event": "idea.teleported",
        "triggeredAt": "2026-11-23T08:00:00.000Z",
    }


def test_a_fault_of_the_schedule_leaves_the_body_alone() -> None:
    fault = FaultSpec.parse("delivered_twice")
    assert apply_to_draft(it := draft(), fault) is it
    assert apply_to_body("body", fault) == "body"
