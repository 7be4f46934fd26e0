"""The schemas describe what is sent: the examples fit, what is broken does not."""

import copy
import json
from functools import cache
from typing import Any

import jsonschema_rs
import pytest
from jsonschema import Draft202012Validator
from jsonschema_rs import meta

from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.wire.assumptions.assumption_set import AssumptionSet
from leanbe_emitter.wire.assumptions.parsing import parse_assumptions
from leanbe_emitter.wire.event_names import EVENT_NAMES
from leanbe_emitter.wire.payloads.schema import bodies_schema, envelope_schema, json_schema
from tests.support.assumption_sets import ASSUMPTION_SETS
from tests.support.example_envelopes import ENVELOPES

BY_EVENT: dict[str, dict[str, Any]] = {each["event"]: each for each in ENVELOPES}


def errors(document: Any, schema: dict[str, Any]) -> list[str]:
    return [error.message for error in Draft202012Validator(schema).iter_errors(document)]


def example(event: str) -> Any:
    return copy.deepcopy(BY_EVENT[event]["payload"])


@pytest.mark.parametrize("event", EVENT_NAMES)
def test_the_examples_fit_their_schemas(event: str) -> None:
    assert errors(BY_EVENT[event]["payload"], json_schema(event)) == []
    assert errors(BY_EVENT[event], envelope_schema(event)) == []


@cache
def check_schema(text: str) -> None:
    """Check a schema, once: an assumption leaves most of the events' schemas as they are."""
    meta.validate(json.loads(text))


@pytest.mark.parametrize("assumptions", ASSUMPTION_SETS.values(), ids=ASSUMPTION_SETS)
def test_every_schema_is_a_valid_schema_under_every_assumption(assumptions: AssumptionSet) -> None:
    for event in EVENT_NAMES:
        check_schema(json.dumps(json_schema(event, assumptions)))
        check_schema(json.dumps(envelope_schema(event, assumptions)))


@pytest.mark.parametrize("event", EVENT_NAMES)
def test_a_document_without_a_required_key_does_not_fit(event: str) -> None:
    schema: Any = json_schema(event)
    for key in schema["required"]:
        document = example(event)
        del document[key]
        assert any(repr(key) in message for message in errors(document, schema))


@pytest.mark.parametrize("event", EVENT_NAMES)
def test_a_value_of_another_type_does_not_fit(event: str) -> None:
    for key in example(event):
        document = example(event) | {key: 7.5}
        assert errors(document, json_schema(event)), key


@pytest.mark.parametrize(
    ("event", "change"),
    [
        ("idea.created", {"titel": "misspelt"}),
        ("idea.created", {"title": ""}),
        ("idea.created", {"upvotes": -1}),
        ("idea.created", {"tags": ["text"]}),
        ("idea.created", {"_id": "649D2AC49C3A1954E6A2E421"}),
        ("idea.created", {"createdAt": "2023-06-29T06:55:00Z"}),
        ("idea.created", {"assigned": None}),
        ("idea.promoted", {"promoted": False}),
        ("ideaRequest.created", {"status": "attached"}),
        ("customer.created", {"bgColor": "#4d80cc"}),
        ("okr.created", {"progress": 101}),
        ("announcement.created", {"status": "retracted"}),
    ],
)
def test_a_value_that_the_contract_excludes_does_not_fit(
    event: str, change: dict[str, Any]
) -> None:
    assert errors(example(event) | change, json_schema(event))


@pytest.mark.parametrize(
    ("event", "change"),
    [
        ("idea.created", {"visibility": "team-only"}),
        ("customer.created", {"image": {"any": {"shape": [1]}}, "gender": "·"}),
        ("backlogItem.updated", {"status": "Somewhere"}),
        ("customer.created", {"devices": [{"_id": "device 9"}]}),
    ],
)
def test_a_value_that_the_contract_leaves_open_fits(event: str, change: dict[str, Any]) -> None:
    assert errors(example(event) | change, json_schema(event)) == []


def test_votes_may_be_negative_only_where_they_are_a_balance() -> None:
    document = example("idea.downVoted") | {"upvotes": -1}
    assert errors(document, json_schema("idea.downVoted"))
    assert (
        errors(document, json_schema("idea.downVoted", parse_assumptions({"vote_model": "net"})))
        == []
    )


def test_an_optional_field_is_required_and_may_be_null_when_it_is_asked_to_be() -> None:
    schema = json_schema("idea.created", parse_assumptions({"unset": "null"}))
    assert errors(example("idea.created") | {"assigned": None, "description": None}, schema) == []
    document = example("idea.created")
    del document["assigned"]
    assert errors(document, schema)
    assert errors(example("idea.created") | {"title": None}, schema)


def test_a_field_that_the_article_does_not_show_is_marked() -> None:
    schema: Any = json_schema("ideaRequest.created")
    assert schema["x-leanbe-source"] == "inferred"
    marks = {key: member["x-leanbe-source"] for key, member in schema["properties"].items()}
    assert marks.pop("title") == "stated"
    assert set(marks.values()) == {"inferred"}
    assert json_schema("idea.created")["x-leanbe-source"] == "stated"


def test_a_schema_is_plain_json_that_says_what_it_describes() -> None:
    schema = json_schema("idea.upVoted")
    assert json.loads(json.dumps(schema)) == schema
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["title"] == "idea.upVoted"


def test_the_envelopes_schema_follows_where_the_signature_is_and_how_time_is_printed() -> None:
    assumptions = parse_assumptions({"signature_location": "header", "triggered_at": "la-offset"})
    unsigned = {key: BY_EVENT["okr.created"][key] for key in ("payload", "event", "triggeredAt")}
    schema = envelope_schema("okr.created", assumptions)
    assert errors(unsigned | {"triggeredAt": "2023-06-28T23:56:57.472-07:00"}, schema) == []
    assert errors(unsigned, schema)


def test_the_schema_of_all_bodies_takes_each_event_and_no_mixture() -> None:
    schema = json.dumps(bodies_schema())
    check_schema(schema)
    validator = jsonschema_rs.Draft202012Validator(json.loads(schema))
    for envelope in ENVELOPES:
        assert validator.is_valid(envelope)
        assert not validator.is_valid(envelope | {"event": "idea.renamed"})
    assert not validator.is_valid(BY_EVENT["okr.created"] | {"event": "idea.created"})


@pytest.mark.parametrize("make", [json_schema, envelope_schema])
def test_a_wrong_event_is_refused_with_the_nearest(make: Any) -> None:
    with pytest.raises(InvalidValue) as refusal:
        make("idea.upvoted")
    assert "idea.upVoted" in refusal.value.hint
