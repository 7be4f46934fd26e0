"""Samples speak of the same documents, fit their schemas, and are the same for each seed."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from leanbe_emitter.errors import InvalidValue
from leanbe_emitter.ids import Ids
from leanbe_emitter.wire.assumptions.assumption_set import ARTICLE, AssumptionSet
from leanbe_emitter.wire.assumptions.parsing import parse_assumptions
from leanbe_emitter.wire.event_names import EVENT_NAMES
from leanbe_emitter.wire.payloads.event_payloads import payload_shape
from leanbe_emitter.wire.samples.sample_payloads import LIFECYCLE_ORDER, SamplePayloads
from leanbe_emitter.wire.stringify import stringify
from tests.support.assumption_sets import ASSUMPTION_SETS
from tests.support.example_envelopes import ENVELOPES
from tests.support.payload_schemas import payload_validator

NOW = datetime(2026, 11, 24, 12, 0, 0, 123456, tzinfo=UTC)
PRINTED_NOW = "2026-11-24T12:00:00.123Z"
PRODUCT = {"_id": "649bf71bbeac6ade0bed7245", "name": "Acme"}
HUGE = [{"startValue": 10**400, "currentValue": 0, "targetValue": 0.5, "progress": 10**400}]
RUBBISH = [None, 10**400, float("nan"), "text", [], {}, [None], {"_id": 7}, HUGE]
EXAMPLES = [(envelope["event"], envelope["payload"]) for envelope in ENVELOPES]


def ids(seed: int = 7) -> Ids:
    return Ids(random.Random(seed))


def samples(assumptions: AssumptionSet = ARTICLE, **arguments: Any) -> SamplePayloads:
    given: dict[str, Any] = {
        "product": PRODUCT,
        "ids": ids(),
        "now": NOW,
        "assumptions": assumptions,
    }
    return SamplePayloads(**given | arguments)


def about(
    document: Any, event: str, assumptions: AssumptionSet = ARTICLE, **arguments: Any
) -> SamplePayloads:
    given: dict[str, Any] = {
        "product": PRODUCT,
        "ids": ids(8),
        "now": NOW,
        "assumptions": assumptions,
    }
    return SamplePayloads.continuing(document, event=event, **given | arguments)


def errors(document: Any, event: str, assumptions: AssumptionSet = ARTICLE) -> list[str]:
    return [each.message for each in payload_validator(event, assumptions).iter_errors(document)]


def values_of(document: Any, *names: str) -> dict[str, Any]:
    return {name: document[name] for name in names}


@pytest.mark.parametrize("assumptions", ASSUMPTION_SETS.values(), ids=ASSUMPTION_SETS)
def test_samples_fit_their_schemas_under_every_assumption(assumptions: AssumptionSet) -> None:
    told = samples(assumptions)
    for event in LIFECYCLE_ORDER:
        assert errors(told.payload(event), event, assumptions) == [], event
        assert errors(samples(assumptions).payload(event), event, assumptions) == [], event


@pytest.mark.parametrize("event", EVENT_NAMES)
def test_a_sample_has_every_key_that_its_event_can_have_in_order(event: str) -> None:
    names = [field.name for field in payload_shape(event).fields]
    missing = {"ideaRequest.created": ["idea"], "ideaRequest.ignored": ["idea"]}
    if event.startswith("announcement.") and event != "announcement.updated":
        missing[event] = ["publishedAt"]
    expected = [name for name in names if name not in missing.get(event, [])]
    assert list(samples().payload(event)) == expected


def test_the_storys_order_has_every_event_once() -> None:
    assert sorted(LIFECYCLE_ORDER) == sorted(EVENT_NAMES)


def test_one_seed_and_one_instant_give_the_same_bytes() -> None:
    def texts(seed: int) -> list[str]:
        told = samples(ids=ids(seed))
        return [stringify(told.payload(event)) for event in EVENT_NAMES]

    assert texts(7) == texts(7)
    assert texts(7) != texts(8)


@pytest.mark.parametrize("event", EVENT_NAMES)
def test_nothing_in_a_story_is_later_than_its_instant(event: str) -> None:
    told = samples()
    for _ in range(60):
        document = told.payload(event)
        assert document["createdAt"] <= document["updatedAt"] <= PRINTED_NOW


@pytest.mark.parametrize("event", EVENT_NAMES)
def test_an_id_holds_the_second_of_its_creation(event: str) -> None:
    document = samples().payload(event)
    made = datetime.fromtimestamp(int(document["_id"][:8], 16), UTC)
    assert document["createdAt"].startswith(made.isoformat()[:19])


@pytest.mark.parametrize("event", [name for name in EVENT_NAMES if name.endswith("created")])
def test_a_document_that_was_just_created_was_never_updated(event: str) -> None:
    document = samples().payload(event)
    assert document["createdAt"] == document["updatedAt"] == "2026-11-24T11:59:59.923Z"


def test_an_updated_document_changed_after_its_creation() -> None:
    document = samples().payload("idea.updated")
    assert document["createdAt"] < "2026-11-20" < document["updatedAt"]


def test_every_events_document_is_the_storys_one_document() -> None:
    told = samples()
    documents: dict[str, list[Any]] = {}
    for event in [*LIFECYCLE_ORDER, *LIFECYCLE_ORDER]:
        documents.setdefault(event.partition(".")[0], []).append(told.payload(event))
    for family in documents.values():
        assert len({(each["_id"], each["createdAt"]) for each in family}) == 1


def test_documents_refer_to_one_another() -> None:
    told = samples()
    customer, request, idea, item = (
        told.payload(f"{name}.created")
        for name in ("customer", "ideaRequest", "idea", "backlogItem")
    )
    voter = values_of(customer, "_id", "firstName", "lastName", "email")
    assert request["customer"] == voter
    assert idea["ideaRequests"] == [{"id": request["_id"], "title": request["title"]}]
    assert item["idea"] == values_of(idea, "_id", "title")
    assert told.payload("idea.upVoted")["customer"] == voter
    assert told.payload("ideaRequest.attachedToIdea")["idea"] == values_of(idea, "_id", "title")


def test_the_product_and_its_owner_are_the_ones_given() -> None:
    owner = {"_id": "63caa6a0575db9607cd0d171", "firstName": "Ada", "email": "ada@example.com"}
    idea = samples(owner=owner).payload("idea.created")
    assert (idea["product"], idea["owner"]) == (PRODUCT, owner)
    assert samples().payload("customer.created")["products"] == [PRODUCT]


def test_a_product_without_a_named_owner_has_the_default_one() -> None:
    owner = samples().payload("okr.created")["owner"]
    assert values_of(owner, "firstName", "email") == {
        "firstName": "Product Owner",
        "email": "owner@example.com",
    }


def test_each_event_does_what_its_name_says() -> None:
    told = samples()
    assert told.payload("idea.upVoted")["upvotes"] == 1
    assert told.payload("idea.downVoted")["upvotes"] == 0
    assert told.payload("idea.promoted")["promoted"] is True
    assert told.payload("ideaRequest.attachedToIdea")["status"] == "attached"
    assert "idea" not in told.payload("ideaRequest.ignored")
    moved = told.payload("backlogItem.statusChanged")
    assert (moved["previousStatus"], moved["status"]) == ("To Do", "In Progress")
    okr: Any = told.payload("okr.updated")
    assert (okr["progress"], okr["keyResults"][0]["progress"]) == (25, 50)
    published = told.payload("announcement.updated")
    assert (published["status"], published["publishedAt"]) == ("published", published["updatedAt"])


@pytest.mark.parametrize("event", EVENT_NAMES)
def test_asking_twice_tells_of_the_same_document(event: str) -> None:
    told = samples(parse_assumptions({"include_changes": "true"}))
    first, second = told.payload(event), told.payload(event)
    first.pop("publishedAt", None)
    second.pop("publishedAt", None)
    assert first | {"updatedAt": ""} == second | {"updatedAt": ""}


def test_a_deletion_shows_the_last_state_untouched() -> None:
    told = samples()
    last = told.payload("idea.upVoted")
    last.pop("customer")
    assert told.payload("idea.deleted") == last


def test_a_payload_is_the_callers_to_change() -> None:
    told = samples()
    payload: Any = told.payload("idea.created")
    payload["tags"].append({"title": "mine"})
    payload["owner"]["firstName"] = "Mine"
    again: Any = told.payload("idea.created")
    assert again["tags"] == [{"title": "ui"}]
    assert again["owner"]["firstName"] == "Product Owner"
    customer: Any = told.payload("customer.created")
    customer["image"]["url"] = "mine"
    assert told.payload("customer.created")["image"] == {}


def test_two_stories_have_no_id_and_no_email_in_common() -> None:
    source = ids()
    one, two = (samples(ids=source).payload("customer.created") for _ in range(2))
    assert one["_id"] != two["_id"]
    assert one["publicId"] != two["publicId"]
    assert one["email"] != two["email"]


# The assumptions.


def test_a_vote_against_counts_below_zero_only_as_a_balance() -> None:
    assert (
        samples(parse_assumptions({"vote_model": "net"})).payload("idea.downVoted")["upvotes"] == -1
    )
    assert (
        samples(parse_assumptions({"vote_model": "toggle"})).payload("idea.downVoted")["upvotes"]
        == 0
    )


def test_a_vote_leaves_updated_at_alone_when_it_is_asked_to() -> None:
    told = samples(parse_assumptions({"vote_touches_updated_at": "false"}))
    created = told.payload("idea.created")
    assert told.payload("idea.upVoted")["updatedAt"] == created["updatedAt"]


def test_the_requests_of_an_idea_are_keyed_as_the_assumption_says() -> None:
    told = samples(parse_assumptions({"idea_request_ref_key": "_id"}))
    reference: Any = told.payload("idea.created")["ideaRequests"]
    assert list(reference[0]) == ["_id", "title"]
    assert reference[0]["_id"] == told.payload("ideaRequest.created")["_id"]


def test_an_update_says_what_it_changed_when_it_is_asked_to() -> None:
    changed: Any = samples(parse_assumptions({"include_changes": "true"})).payload("okr.updated")[
        "changes"
    ]
    assert [change["field"] for change in changed] == ["progress", "keyResults"]
    assert changed[0] == {"field": "progress", "oldValue": 0, "newValue": 25}
    published: Any = samples(parse_assumptions({"include_changes": "true"})).payload(
        "announcement.updated"
    )
    assert {"field": "status", "oldValue": "draft", "newValue": "published"} in published["changes"]
    assert published["changes"][-1]["oldValue"] is None


def test_a_deletion_is_only_an_id_when_it_is_asked_to_be() -> None:
    told = samples(parse_assumptions({"deleted_payload": "id"}))
    assert told.payload("okr.deleted") == {"_id": told.payload("okr.updated")["_id"]}


def test_the_statuses_are_the_products() -> None:
    moved = samples(statuses=["Later", "Now"]).payload("backlogItem.statusChanged")
    assert (moved["previousStatus"], moved["status"]) == ("Later", "Now")
    moved = samples(statuses=["Only"]).payload("backlogItem.statusChanged")
    assert moved["previousStatus"] != moved["status"]


# Going on from an earlier payload.


@pytest.mark.parametrize("assumptions", ASSUMPTION_SETS.values(), ids=ASSUMPTION_SETS)
def test_a_story_goes_on_from_any_payload(assumptions: AssumptionSet) -> None:
    for event, document in EXAMPLES:
        told = about(document, event, assumptions)
        for name in EVENT_NAMES:
            payload = told.payload(name)
            assert errors(payload, name, assumptions) == [], (event, name)
            if name.partition(".")[0] == event.partition(".")[0]:
                assert payload["_id"] == document["_id"], (event, name)


@pytest.mark.parametrize(("event", "document"), EXAMPLES)
def test_going_on_keeps_the_values_that_the_event_does_not_change(
    event: str, document: Any
) -> None:
    resource = event.partition(".")[0]
    own = {field.name for field in payload_shape(f"{resource}.created").fields}
    same = about(document, event).payload(event)
    changed = {key for key in own if same.get(key) != document.get(key)}
    assert changed <= {"updatedAt", "tags", "notes", "confirmed", "status", "publishedAt"}
    assert same["createdAt"] == document["createdAt"]


def test_a_change_by_hand_stays() -> None:
    earlier: Any = samples().payload("idea.created") | {"title": "My own", "visibility": "team"}
    later = about(earlier, "idea.created").payload("idea.promoted")
    assert (later["title"], later["visibility"]) == ("My own", "team")
    assert (later["owner"], later["ideaRequests"]) == (earlier["owner"], earlier["ideaRequests"])


def test_a_member_that_the_earlier_payload_left_out_stays_out() -> None:
    earlier = samples().payload("idea.created")
    del earlier["assigned"], earlier["description"]
    later = about(earlier, "idea.created").payload("idea.updated")
    assert not {"assigned", "description"} & set(later)


def test_a_creation_that_is_told_after_a_change_is_without_a_trace_of_it() -> None:
    earlier = samples().payload("idea.updated")
    created = about(earlier, "idea.updated").payload("idea.created")
    assert created["updatedAt"] == created["createdAt"] < earlier["updatedAt"]


def test_the_people_of_an_earlier_payload_are_the_storys() -> None:
    earlier: Any = samples().payload("idea.created")
    people = values_of(earlier, "owner", "assigned")
    assert (
        values_of(about(earlier, "idea.created").payload("backlogItem.created"), *people) == people
    )


def test_a_customer_whose_reference_has_no_name_has_none() -> None:
    earlier: Any = samples().payload("ideaRequest.created")
    del earlier["customer"]["firstName"]
    customer = about(earlier, "ideaRequest.created").payload("customer.updated")
    assert "firstName" not in customer
    assert values_of(customer, "lastName", "email") == values_of(
        earlier["customer"], "lastName", "email"
    )


def test_null_under_an_earlier_assumption_is_no_value() -> None:
    null = parse_assumptions({"unset": "null"})
    earlier = samples(null).payload("ideaRequest.created")
    assert earlier["idea"] is None
    assert "idea" not in about(earlier, "ideaRequest.created").payload("ideaRequest.created")
    again = about(earlier, "ideaRequest.created", null).payload("ideaRequest.created")
    assert again["idea"] is None


def test_a_payload_that_was_only_an_id_is_filled_in() -> None:
    earlier = samples(parse_assumptions({"deleted_payload": "id"})).payload("customer.deleted")
    tomorrow = NOW + timedelta(days=1)
    later = about(earlier, "customer.deleted", now=tomorrow).payload("customer.deleted")
    assert later["_id"] == earlier["_id"]
    assert later["firstName"] == "João"
    assert later["createdAt"][:19] == "2026-10-14T09:47:59", "the id's second"


def test_the_voter_and_the_requests_of_an_earlier_payload_are_the_storys() -> None:
    earlier: Any = samples().payload("idea.upVoted")
    told = about(earlier, "idea.upVoted")
    assert told.payload("idea.downVoted")["customer"] == earlier["customer"]
    customer = told.payload("customer.updated")
    assert values_of(customer, "_id", "email") == values_of(earlier["customer"], "_id", "email")
    assert told.payload("ideaRequest.created")["_id"] == earlier["ideaRequests"][0]["id"]


def test_votes_go_on_from_where_they_were() -> None:
    earlier = samples().payload("idea.created") | {"upvotes": 7}
    assert about(earlier, "idea.created").payload("idea.upVoted")["upvotes"] == 8
    voted = earlier | {"upvotes": 8}
    assert about(voted, "idea.upVoted").payload("idea.upVoted")["upvotes"] == 8
    assert about(voted, "idea.upVoted").payload("idea.downVoted")["upvotes"] == 7
    net = parse_assumptions({"vote_model": "net"})
    balance = earlier | {"upvotes": 6}
    assert about(balance, "idea.downVoted", net).payload("idea.downVoted")["upvotes"] == 6
    assert about(balance, "idea.downVoted", net).payload("idea.upVoted")["upvotes"] == 8


def test_the_other_key_of_an_ideas_requests_is_understood() -> None:
    other = parse_assumptions({"idea_request_ref_key": "_id"})
    earlier: Any = samples(other).payload("idea.created")
    later: Any = about(earlier, "idea.created").payload("idea.updated")
    assert later["ideaRequests"][0]["id"] == earlier["ideaRequests"][0]["_id"]


@pytest.mark.parametrize("event", EVENT_NAMES)
def test_a_broken_payload_stops_no_story(event: str) -> None:
    for rubbish in RUBBISH:
        told = about({field.name: rubbish for field in payload_shape(event).fields}, event)
        for name in EVENT_NAMES:
            told.payload(name)
    assert about({}, event).payload(event)["_id"]


def test_a_clock_that_went_back_never_dates_a_change_before_the_creation() -> None:
    earlier = samples().payload("idea.created")
    later = about(earlier, "idea.created", now=NOW - timedelta(days=3)).payload("idea.updated")
    assert later["updatedAt"] >= later["createdAt"] == earlier["createdAt"]


def test_a_wrong_event_is_refused() -> None:
    with pytest.raises(InvalidValue, match="no event"):
        samples().payload("idea.upvoted")
    with pytest.raises(InvalidValue, match="no event"):
        about({}, "idea")
