"""Shapes are data: the contract's keys in its order, and what each assumption makes of them."""

from typing import Any

import pytest

from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.wire.assumptions.assumption_set import ARTICLE, AssumptionSet
from leanbe_emitter.wire.assumptions.parsing import parse_assumptions
from leanbe_emitter.wire.event_names import EVENT_NAMES, Source
from leanbe_emitter.wire.payloads.event_payloads import (
    RESOURCES,
    document,
    document_shape,
    envelope_shape,
    payload,
    payload_shape,
)
from leanbe_emitter.wire.payloads.shapes import Object
from tests.support.example_envelopes import ENVELOPES

BY_EVENT: dict[str, dict[str, Any]] = {each["event"]: each["payload"] for each in ENVELOPES}

#: The keys that every document has, from the contract's list of minimal documents (b.0, b.2).
MINIMAL = {
    "idea": "_id owner title tags visibility promoted archived upvotes createdAt updatedAt product "
    "ideaRequests",
    "ideaRequest": "_id title status source createdAt updatedAt product",
    "backlogItem": "_id owner title tags status createdAt updatedAt product",
    "okr": "_id owner title progress keyResults createdAt updatedAt product",
    "announcement": "_id owner title categories status createdAt updatedAt product",
    "customer": "_id publicId email image source confirmed products bgColor isTemporary devices "
    "billing_details notes createdAt updatedAt",
}


def names(shape: Object) -> list[str]:
    return [field.name for field in shape.fields]


def shuffle_keys(value: Any) -> Any:
    """Return the value with every object's keys in another order."""
    if isinstance(value, dict):
        return {key: shuffle_keys(value[key]) for key in sorted(value, reverse=True)}
    return [shuffle_keys(item) for item in value] if isinstance(value, list) else value


def keys(value: Any) -> Any:
    """Return the keys of every object in the order in which they stand."""
    if isinstance(value, dict):
        return [(key, keys(member)) for key, member in value.items()]
    return [keys(item) for item in value] if isinstance(value, list) else None


@pytest.mark.parametrize("event", EVENT_NAMES)
def test_the_examples_keys_stand_in_the_shapes_order_at_every_depth(event: str) -> None:
    example = BY_EVENT[event]
    arranged = payload(event, shuffle_keys(example))
    assert arranged == example
    assert keys(arranged) == keys(example)


def test_the_articles_documents_have_all_their_keys() -> None:
    assert names(payload_shape("idea.created")) == list(BY_EVENT["idea.created"])
    assert names(payload_shape("customer.created")) == list(BY_EVENT["customer.created"])
    assert (len(BY_EVENT["idea.created"]), len(BY_EVENT["customer.created"])) == (15, 26)


@pytest.mark.parametrize("resource", RESOURCES)
def test_a_minimal_document_has_the_contracts_keys(resource: str) -> None:
    required = [field.name for field in document_shape(resource).fields if field.required]
    assert required == MINIMAL[resource].split()


def test_idea_and_customer_are_stated_and_the_rest_is_inferred() -> None:
    def sources(resource: str) -> set[Source]:
        return {field.source for field in document_shape(resource).fields}

    assert sources("idea") == sources("customer") == {Source.STATED}
    assert sources("okr") == sources("backlogItem") == sources("announcement") == {Source.INFERRED}
    voter = payload_shape("idea.upVoted").field("customer")
    assert voter is not None
    assert voter.source is Source.INFERRED


@pytest.mark.parametrize("event", EVENT_NAMES)
def test_the_document_is_a_prefix_of_the_payload(event: str) -> None:
    own = names(document_shape(event.partition(".")[0]))
    assert (
        names(payload_shape(event, parse_assumptions({"include_changes": "true"})))[: len(own)]
        == own
    )


@pytest.mark.parametrize(
    ("event", "added"),
    [
        ("idea.upVoted", ["customer"]),
        ("idea.downVoted", ["customer"]),
        ("idea.promoted", []),
        ("backlogItem.statusChanged", ["previousStatus"]),
        ("okr.updated", []),
    ],
)
def test_an_event_adds_its_own_keys_at_the_end(event: str, added: list[str]) -> None:
    own = names(document_shape(event.partition(".")[0]))
    assert names(payload_shape(event)) == own + added


@pytest.mark.parametrize("event", [name for name in EVENT_NAMES if name.endswith(".updated")])
def test_updates_say_what_changed_when_they_are_asked_to(event: str) -> None:
    assert (
        names(payload_shape(event, parse_assumptions({"include_changes": "true"})))[-1] == "changes"
    )


def test_nothing_else_says_what_changed() -> None:
    assumptions = parse_assumptions({"include_changes": "true"})
    updates = [name for name in EVENT_NAMES if "changes" in names(payload_shape(name, assumptions))]
    assert updates == [name for name in EVENT_NAMES if name.endswith(".updated")]


def test_a_request_that_was_attached_always_names_its_idea() -> None:
    def is_required(event: str) -> bool:
        idea = payload_shape(event).field("idea")
        return idea is not None and idea.required

    assert is_required("ideaRequest.attachedToIdea")
    assert not is_required("ideaRequest.created")


@pytest.mark.parametrize("event", [name for name in EVENT_NAMES if name.endswith(".deleted")])
def test_a_deletion_is_only_its_id_when_it_is_asked_to_be(event: str) -> None:
    example = BY_EVENT[event]
    assert payload(event, example, assumptions=parse_assumptions({"deleted_payload": "id"})) == {
        "_id": example["_id"]
    }


def test_a_vote_is_without_its_voter_when_it_is_asked_to_be() -> None:
    arranged = payload(
        "idea.upVoted",
        BY_EVENT["idea.upVoted"],
        assumptions=parse_assumptions({"vote_payload": "idea"}),
    )
    assert list(arranged) == names(document_shape("idea"))


def test_the_requests_of_an_idea_are_keyed_as_the_assumption_says() -> None:
    assumptions = parse_assumptions({"idea_request_ref_key": "_id"})
    reference = {"title": "Dark mode", "_id": "64a28ec49c3a1954e6a2e502"}
    arranged = payload("idea.created", {"ideaRequests": [reference]}, assumptions=assumptions)
    assert keys(arranged) == [("ideaRequests", [[("_id", None), ("title", None)]])]


def test_an_unset_member_is_left_out() -> None:
    values = {"_id": "64a28e4c9c3a1954e6a2e501", "email": "ana@example.com", "phone": None}
    assert list(document("customer", values)) == ["_id", "email"]


def test_an_unset_member_is_null_at_every_depth_when_it_is_asked_to_be() -> None:
    values = {
        "_id": "1",
        "country": {"countryCode": "FR"},
        "phone": None,
        "devices": [{"_id": "d"}],
    }
    arranged: Any = document("customer", values, assumptions=parse_assumptions({"unset": "null"}))
    assert arranged["phone"] is None
    assert arranged["company"] is None
    assert arranged["country"] == {"countryCode": "FR", "countryName": None}
    assert arranged["devices"][0]["browser"] is None
    assert "email" not in arranged, "a required key is never invented"


def test_a_required_null_stays() -> None:
    change = {"field": "description", "oldValue": None, "newValue": "Longer"}
    arranged = payload(
        "idea.updated",
        {"changes": [change]},
        assumptions=parse_assumptions({"include_changes": "true"}),
    )
    assert arranged == {"changes": [change]}


def test_a_member_that_the_shape_does_not_have_is_left_out() -> None:
    assert document("okr", {"score": 7, "title": "Ship it"}) == {"title": "Ship it"}


def test_an_image_passes_through_as_given() -> None:
    image = {"url": "https://example.com/a.png", "sizes": [{"w": 1}]}
    assert document("customer", {"image": image}) == {"image": image}


@pytest.mark.parametrize(
    ("assumptions", "members"),
    [
        (ARTICLE, ["payload", "event", "triggeredAt", "signature"]),
        (parse_assumptions({"signature_location": "header"}), ["payload", "event", "triggeredAt"]),
        (
            parse_assumptions({"signature_location": "both"}),
            ["payload", "event", "triggeredAt", "signature"],
        ),
    ],
)
def test_the_envelopes_members_are_the_articles(
    assumptions: AssumptionSet, members: list[str]
) -> None:
    assert names(envelope_shape("okr.created", assumptions)) == members


def test_a_wrong_event_is_refused_with_the_nearest() -> None:
    with pytest.raises(InvalidValue) as refusal:
        payload_shape("okr.create")
    assert "okr.created" in refusal.value.hint
