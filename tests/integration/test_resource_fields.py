"""Every field that can be set, from the keyword to the bytes of the webhook, on every database."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from leanbe_emitter import (
    Announcement,
    BacklogItem,
    Customer,
    Idea,
    IdeaRequest,
    InvalidValue,
    Leanbe,
    Okr,
    Product,
    stringify,
)
from leanbe_emitter.library.documents.announcements import AnnouncementFields
from leanbe_emitter.library.documents.backlog_items import BacklogItemFields
from leanbe_emitter.library.documents.customers import CustomerFields
from leanbe_emitter.library.documents.idea_requests import IdeaRequestFields
from leanbe_emitter.library.documents.ideas import IdeaFields
from leanbe_emitter.library.documents.okrs import OkrFields
from leanbe_emitter.wire.payloads.declarations import (
    ANNOUNCEMENT,
    BACKLOG_ITEM,
    CUSTOMER,
    IDEA,
    IDEA_REQUEST,
    OKR,
    snake_case,
)
from tests.support.loopback_receiver import LoopbackReceiver

pytestmark = pytest.mark.any_database

#: By the resource's attribute of a product: its settable names, as declared and as types say.
SETTABLE = {
    "customers": (CUSTOMER.settable, CustomerFields),
    "ideas": (IDEA.settable, IdeaFields),
    "idea_requests": (IDEA_REQUEST.settable, IdeaRequestFields),
    "backlog_items": (BACKLOG_ITEM.settable, BacklogItemFields),
    "okrs": (OKR.settable, OkrFields),
    "announcements": (ANNOUNCEMENT.settable, AnnouncementFields),
}

DESCRIBED = {
    "title": "Dark & light \U0001f600",
    "description": "a < b & c",
    "description_html": "<p>another text</p>",
}

#: Values of every field; ``BEFORE`` and ``AFTER`` differ in all of them.
BEFORE: Mapping[str, dict[str, Any]] = {
    "customers": {
        "email": "Ana@example.com",
        "first_name": "Ana",
        "last_name": "Lovelace",
        "phone": "+1",
        "state": "S",
        "city": "C",
        "address_line1": "1",
        "address_line2": "2",
        "zipcode": "Z",
        "country": {"countryCode": "FR", "countryName": "France"},
        "company": {"name": "N", "jobTitle": "J", "seniority": "S", "salary": "$1"},
        "image": {"url": "https://example.com/a.png", "size": [1, 2.5, True, None]},
        "gender": "Female",
        "source": "Portal",
        "type": "Initiator",
        "confirmed": True,
        "products": ["Acme"],
        "bg_color": "#4D80CC",
        "is_temporary": True,
        "devices": [{"_id": "device1", "name": "n", "deviceType": "Mobile"}],
        "billing_details": [{"_id": "b1", "subscription_start_date": "2023-07-01"}],
        "notes": ["one", {"note": "two"}],
    },
    "ideas": {
        **DESCRIBED,
        "owner": "ana@example.com",
        "assigned": "bob@example.com",
        "tags": ["ui", {"title": "dark"}],
        "visibility": "private",
        "archived": True,
    },
    "idea_requests": {**DESCRIBED, "customer": "new@example.com", "source": "Widget"},
    "backlog_items": {
        **DESCRIBED,
        "owner": "ana@example.com",
        "assigned": "bob@example.com",
        "tags": ["ui"],
        "status": "In Review",
    },
    "okrs": {
        "owner": "ana@example.com",
        "title": "Ship",
        "description": "d",
        "start_date": date(2023, 7, 1),
        "end_date": datetime(2023, 9, 1, 2, tzinfo=timezone(timedelta(hours=2))),
        "key_results": [
            {"title": "k", "startValue": 1, "currentValue": 2.5, "targetValue": 4, "unit": "%"}
        ],
    },
    "announcements": {
        **DESCRIBED,
        "owner": "ana@example.com",
        "categories": ["New feature"],
        "status": "published",
    },
}

AFTER: Mapping[str, dict[str, Any]] = {
    "customers": {
        **dict.fromkeys(
            (
                "first_name",
                "last_name",
                "phone",
                "state",
                "city",
                "address_line1",
                "address_line2",
                "zipcode",
                "country",
                "company",
                "gender",
                "type",
            )
        ),
        "email": "bea@example.com",
        "image": {},
        "source": "SSO",
        "confirmed": False,
        "products": ["Acme", "Other"],
        "bg_color": "#000000",
        "is_temporary": False,
        "devices": [],
        "billing_details": [],
        "notes": [],
    },
    "ideas": {
        "owner": "bob@example.com",
        "assigned": None,
        "title": "T",
        "description": None,
        "description_html": "<p>x</p>",
        "tags": [],
        "visibility": "public",
        "archived": False,
    },
    "backlog_items": {
        "owner": "bob@example.com",
        "assigned": None,
        "title": "T",
        "description": None,
        "description_html": "<p>x</p>",
        "tags": (),
        "status": "To Do",
    },
    "okrs": {
        "owner": "bob@example.com",
        "title": "T",
        "description": None,
        "start_date": None,
        "end_date": "2024-01-01",
        "key_results": [],
    },
    "announcements": {
        "owner": "bob@example.com",
        "title": "T",
        "description": None,
        "description_html": "<p>x</p>",
        "categories": [],
        "status": "draft",
    },
}

#: How a document shows what is not shown as it was given; people and products by their names.
SHOWN: Mapping[str, dict[str, Any]] = {
    "customers": {"notes": [{"note": "one"}, {"note": "two"}]},
    "ideas": {"tags": [{"title": "ui"}, {"title": "dark"}]},
    "backlog_items": {"tags": [{"title": "ui"}]},
    "okrs": {"start_date": "2023-07-01T00:00:00.000Z", "end_date": "2023-09-01T00:00:00.000Z"},
    "announcements": {"categories": [{"title": "New feature"}]},
}
SHOWN_AFTER: Mapping[str, dict[str, Any]] = {
    "backlog_items": {"tags": []},
    "okrs": {"end_date": "2024-01-01T00:00:00.000Z"},
}

#: What the database does not matter to.
IN_MEMORY = pytest.mark.parametrize("db", [":memory:"])

Snapshot = Customer | Idea | IdeaRequest | BacklogItem | Okr | Announcement


@pytest.fixture
def product(leanbe: Leanbe, receiver: LoopbackReceiver) -> Product:
    """A product with two more users, and another one beside it."""
    product = leanbe.products.create("Acme", webhook_url=receiver.url, secret="whsec_test")
    product.users.create(email="ana@example.com", first_name="Ana")
    product.users.create(email="bob@example.com", first_name="Bob")
    leanbe.products.create("Other")
    return product


def plain(value: Any) -> Any:
    """Return a member of a document with people and products by name, and without made-up ids."""
    match value:
        case {"_id": _, "email": email}:
            return email
        case {"_id": _, "name": name, **rest} if not rest:
            return name
        case {"targetValue": _}:
            return {name: value[name] for name in value if name not in {"_id", "progress"}}
        case [*entries]:
            return [plain(each) for each in entries]
    return value


def assert_set(snapshot: Snapshot, settable: Sequence[str], fields: Mapping[str, Any]) -> None:
    """See that a snapshot's document has what was set, and leaves out what was taken away."""
    document = snapshot.document()
    for name in settable:
        assert plain(document.get(name)) == fields[snake_case(name)], name


@pytest.mark.parametrize("resource", SETTABLE)
def test_types_and_domain_agree_on_what_can_be_set(resource: str) -> None:
    settable, fields = SETTABLE[resource]
    assert {snake_case(name) for name in settable} == set(fields.__annotations__)
    assert set(BEFORE[resource]) == set(fields.__annotations__)


@pytest.mark.parametrize("resource", SETTABLE)
def test_every_field_can_be_set_at_first(leanbe: Leanbe, product: Product, resource: str) -> None:
    made = getattr(product, resource).create(**BEFORE[resource])
    settable, _ = SETTABLE[resource]
    assert_set(made, settable, BEFORE[resource] | SHOWN.get(resource, {}))
    assert getattr(product, resource).get(made.id) == made
    leanbe.deliver()
    assert leanbe.deliveries.last("*.created").event.payload_text == stringify(made.document())


@pytest.mark.parametrize("resource", AFTER)
def test_every_field_can_be_changed_in_one_save(
    leanbe: Leanbe, product: Product, resource: str
) -> None:
    documents = getattr(product, resource)
    made = documents.create(**BEFORE[resource])
    changed = documents.update(made, **AFTER[resource])
    settable, _ = SETTABLE[resource]
    assert_set(changed, settable, AFTER[resource] | SHOWN_AFTER.get(resource, {}))
    assert documents.get(made) == changed
    last = leanbe.deliveries.last("*.updated").event.payload_text
    assert last == stringify(changed.document())


@pytest.mark.parametrize("resource", AFTER)
@pytest.mark.parametrize("value", [BEFORE, AFTER], ids=["full", "bare"])
def test_each_field_set_to_what_it_is_changes_nothing(
    leanbe: Leanbe, product: Product, resource: str, value: Mapping[str, dict[str, Any]]
) -> None:
    documents = getattr(product, resource)
    made = documents.create(**BEFORE[resource])
    made = documents.update(made, **value[resource])
    with leanbe.foreground(deliver=False) as raised:
        for name, same in value[resource].items():
            same = getattr(made, name) if name == "key_results" else same  # noqa: PLW2901
            if name == "description" and hasattr(made, "description_html"):
                continue  # a text alone makes its HTML anew
            assert documents.update(made, **{name: same}) == made, name
    assert raised.recorded == ()


def test_attributes_say_what_the_document_says(product: Product) -> None:
    customer = product.customers.create(**BEFORE["customers"])
    assert (customer.first_name, customer.country) == ("Ana", BEFORE["customers"]["country"])
    assert customer.notes == ("one", "two")
    assert [each.name for each in customer.products] == ["Acme"]
    idea = product.ideas.create(**{**BEFORE["ideas"], "archived": False})
    assert (idea.owner.email, idea.tags) == ("ana@example.com", ("ui", "dark"))
    assert idea.assigned is not None
    assert idea.assigned.first_name == "Bob"
    assert idea.description_html == "<p>another text</p>"
    assert idea.created_at.utcoffset() == timedelta(0)
    okr = product.okrs.create(**BEFORE["okrs"])
    assert okr.start_date == datetime(2023, 7, 1, tzinfo=UTC)
    assert okr.end_date == datetime(2023, 9, 1, tzinfo=UTC)
    assert [(each.title, each.progress) for each in okr.key_results] == [("k", 50)]
    announcement = product.announcements.create(**BEFORE["announcements"])
    assert announcement.published_at == announcement.created_at


def test_a_snapshot_is_not_changed_by_who_looks_at_it(product: Product) -> None:
    customer = product.customers.create(email="ana@example.com", image={"a": 1})
    document = customer.document()
    document["email"] = "no@example.com"
    document["image"]["a"] = 2
    assert customer.document()["email"] == customer.email == "ana@example.com"
    assert customer.document()["image"] == {"a": 1}
    assert hash(customer) == hash(product.customers.get(customer))


def test_the_document_is_what_the_product_reads(leanbe: Leanbe, product: Product) -> None:
    request = product.idea_requests.create(title="Dark mode please")
    assert product.ideas.create(title="Dark mode", requests=[request]).document()[
        "ideaRequests"
    ] == [{"id": request.id, "title": request.title}]
    leanbe.assumptions.set("idea_request_ref_key", "_id", product=product)
    leanbe.assumptions.set("unset", "null", product=product)
    idea = product.ideas.list()[0]
    assert idea.document()["ideaRequests"] == [{"_id": request.id, "title": request.title}]
    assert idea.document()["assigned"] is None
    assert idea.idea_requests[0].id == request.id


def test_a_description_without_html_gets_some(product: Product) -> None:
    idea = product.ideas.create(title="T", description="a < b")
    assert idea.description_html == "<p>a &lt; b</p>"
    assert product.ideas.update(idea, description=None).description_html is None


def test_entries_without_an_id_get_one(product: Product) -> None:
    made = product.customers.create(
        email="ana@example.com",
        devices=[{"name": "n"}, {"name": "m", "_id": "device1"}],
        billing_details=[{"plan_type": "p"}],
    )
    assert made.devices[1]["_id"] == "device1"
    assert len({made.devices[0]["_id"], made.billing_details[0]["_id"]}) == 2
    again = product.customers.update(made, devices=[*made.devices, {"name": "o"}])
    assert again.devices[:2] == made.devices


def test_key_results_are_kept_edited_made_and_removed_by_one_list(product: Product) -> None:
    okr = product.okrs.create(
        title="T",
        key_results=[{"title": name, "targetValue": 10} for name in ("kept", "edited", "gone")],
    )
    kept, edited, _ = okr.key_results
    okr = product.okrs.update(
        okr,
        key_results=[
            {"title": "new", "targetValue": 1},
            kept,
            {"_id": edited.id, "currentValue": 5},
        ],
    )
    assert [each.title for each in okr.key_results] == ["new", "kept", "edited"]
    assert okr.key_results[1] == kept
    assert (okr.key_results[2].id, okr.key_results[2].progress) == (edited.id, 50)


@IN_MEMORY
@pytest.mark.parametrize(
    "progress",
    [
        ({"startValue": -1e308, "targetValue": 1e308, "currentValue": 0}, 50),
        ({"startValue": 0, "targetValue": 5e-324, "currentValue": 1e300}, 100),
        ({"startValue": 1e308, "targetValue": -1e308, "currentValue": 1e308}, 0),
    ],
)
def test_no_measure_is_too_large_for_progress(
    product: Product, progress: tuple[dict[str, float], int]
) -> None:
    values, expected = progress
    okr = product.okrs.create(title="T", key_results=[{"title": "k", **values}])
    assert okr.progress == expected


#: Where a text may hide in a customer; ``%`` stands for it.
PLACES: Mapping[str, dict[str, Any]] = {
    "text": {"first_name": "%"},
    "email": {"email": "%@example.com"},
    "object": {"country": {"countryCode": "%"}},
    "free form": {"image": {"deep": [{"er": "%"}]}},
    "key": {"image": {"%": 1}},
    "note": {"notes": ["%"]},
    "device": {"devices": [{"_id": "%"}]},
}


def with_text(value: Any, text: str) -> Any:
    """Return the value with a text in the place of ``%``."""
    match value:
        case dict():
            return {with_text(name, text): with_text(each, text) for name, each in value.items()}
        case list():
            return [with_text(each, text) for each in value]
        case str():
            return value.replace("%", text)
    return value


@IN_MEMORY
@pytest.mark.parametrize("text", ["\0", "a\0b", "\ud800", "\udfff\ud800"])
@pytest.mark.parametrize("place", PLACES)
def test_text_that_no_database_can_hold_is_refused_at_any_depth(
    product: Product, text: str, place: str
) -> None:
    with pytest.raises(InvalidValue, match="no database can hold"):
        product.customers.create(**{"email": "ana@example.com", **with_text(PLACES[place], text)})
    assert product.customers.list() == []


@IN_MEMORY
@pytest.mark.parametrize(
    ("resource", "fields", "message"),
    [
        ("ideas", {"title": None}, "value for title is missing"),
        ("ideas", {"title": " "}, "title is empty"),
        ("ideas", {"title": 3}, "title is 3"),
        ("ideas", {"title": "T", "archived": 1}, "archived is 1"),
        ("ideas", {"title": "T", "archived": None}, "archived cannot be removed"),
        ("ideas", {"title": "T", "owner": None}, "owner cannot be removed"),
        ("ideas", {"title": "T", "tags": "ui"}, "tags is 'ui'"),
        ("ideas", {"title": "T", "tags": [{}]}, r"tags\[0\] has no title"),
        ("ideas", {"title": "T", "tags": [{"title": None}]}, r"tags\[0\].title cannot be"),
        ("ideas", {"title": "T", "tags": [{"name": "x"}]}, r"no field 'tags\[0\].name'"),
        ("backlog_items", {"title": "T", "status": "Dome"}, "no status 'Dome'"),
        ("backlog_items", {"title": "T", "status": None}, "status cannot be removed"),
        ("announcements", {"title": "T", "status": "live"}, "'live' is no value of status"),
        ("okrs", {"title": "T", "key_results": [{"title": "k"}]}, "targetValue is missing"),
        ("okrs", {"title": "T", "key_results": [{"targetValue": 1}]}, "title is missing"),
        ("okrs", {"title": "T", "key_results": ["k"]}, r"keyResults\[0\] is 'k'"),
        (
            "okrs",
            {"title": "T", "key_results": [{"title": "k", "targetValue": float("nan")}]},
            "no finite number",
        ),
        (
            "okrs",
            {"title": "T", "key_results": [{"title": "k", "targetValue": 10**400}]},
            "no finite number",
        ),
        ("okrs", {"title": "T", "start_date": "soon"}, "'soon' is no instant"),
        ("okrs", {"title": "T", "start_date": "2023-02-30"}, "2023-02-30"),
        ("okrs", {"title": "T", "start_date": datetime(2023, 7, 1)}, "no time zone"),  # noqa: DTZ001
        (
            "okrs",
            {"title": "T", "start_date": "2023-07-02", "end_date": "2023-07-01"},
            "ends before it begins",
        ),
        ("customers", {"email": "ana"}, "'ana' is no e-mail"),
        ("customers", {"first_name": "Ana"}, "value for email is missing"),
        ("customers", {"email": "a@b", "bg_color": "#4d80cc"}, "'#4d80cc' is no value"),
        ("customers", {"email": "a@b", "bg_color": "#4D80CC\n"}, "is no value of bgColor"),
        ("customers", {"email": "a@b", "products": "Acme"}, "products is 'Acme'"),
        ("customers", {"email": "a@b", "image": []}, r"image is \[\]"),
        ("customers", {"email": "a@b", "image": {"a": {1}}}, "has no JSON form"),
        ("customers", {"email": "a@b", "image": {"a": float("inf")}}, "no finite number"),
        (
            "customers",
            {"email": "a@b", "billing_details": [{"subscription_end_date": "1 July"}]},
            "'1 July' is no value",
        ),
        ("idea_requests", {"title": "T", "customer": "a@"}, "no e-mail"),
    ],
)
def test_a_wrong_field_is_refused_and_leaves_nothing(
    leanbe: Leanbe, product: Product, resource: str, fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidValue, match=message):
        getattr(product, resource).create(**fields)
    assert getattr(product, resource).list() == []
    assert leanbe.deliveries.list() == []


@IN_MEMORY
def test_an_image_that_is_nested_too_deeply_is_refused(product: Product) -> None:
    image: dict[str, Any] = {}
    for _ in range(3000):
        image = {"a": image}
    with pytest.raises(InvalidValue, match="deep"):
        product.customers.create(email="ana@example.com", image=image)


def test_values_that_json_tells_apart_are_a_change(product: Product) -> None:
    customer = product.customers.create(email="ana@example.com", image={"a": 1, "b": 2})
    for image in ({"a": True, "b": 2}, {"b": 2, "a": True}, {"b": 2.5, "a": True}):
        customer = product.customers.update(customer, image=image)
        assert json.dumps(customer.document()["image"]) == json.dumps(image)
        assert product.customers.get(customer) == customer


@IN_MEMORY
@pytest.mark.parametrize(
    ("resource", "name", "nearest"),
    [
        ("customers", "firstName", "first_name"),
        ("customers", "adress_line1", "address_line1"),
        ("ideas", "titel", "title"),
        ("idea_requests", "costumer", "customer"),
        ("backlog_items", "state", "status"),
        ("okrs", "keyresults", "key_results"),
        ("announcements", "category", "categories"),
    ],
)
def test_an_unknown_name_is_refused_and_the_nearest_is_named(
    product: Product, resource: str, name: str, nearest: str
) -> None:
    with pytest.raises(InvalidValue, match=f"no field '{name}'.*{nearest}"):
        getattr(product, resource).create(**{name: "x"})


@IN_MEMORY
@pytest.mark.parametrize("name", ["promoted", "upvotes", "_id", "created_at", "idea_requests"])
def test_fields_that_actions_keep_cannot_be_set(product: Product, name: str) -> None:
    fields: dict[str, Any] = {"title": "T", name: "x"}
    with pytest.raises(InvalidValue, match="no field"):
        product.ideas.create(**fields)
