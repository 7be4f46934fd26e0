"""The six resources over the API: what the library does, in the documents' own names."""

from collections.abc import Iterator
from typing import Any

import pytest

from leanbe_emitter.wire.event_names import EVENT_NAMES
from tests.support.api_client import Api, open_api

pytestmark = pytest.mark.any_database

URL = "http://127.0.0.1:9/hooks"


@pytest.fixture
def api(database_url: str) -> Iterator[Api]:
    with open_api(database_url) as api:
        api("POST", "/products", {"name": "Acme", "webhook": {"url": URL, "secret": "whsec_test"}})
        yield api


def act(api: Api, path: str, body: Any = None, *, method: str = "POST") -> Any:
    """Do something with what hangs on the product, which has to be done."""
    answer = api(method, f"/products/Acme/{path}", body)
    assert answer.is_success, answer.text
    return answer.json() if answer.content else None


def test_every_event_can_be_raised_by_acting(api: Api) -> None:
    ana = act(api, "customers", {"email": "ana@example.com", "firstName": "Ana"})["_id"]
    asked = act(api, "idea-requests", {"title": "Dark, please", "customer": "ana@example.com"})
    idea = act(api, "ideas", {"title": "Dark mode", "requests": [asked["_id"]], "tags": ["ui"]})
    other = act(api, "idea-requests", {"title": "Light, please"})["_id"]
    ignored = act(api, "idea-requests", {"title": "Neither"})["_id"]
    act(api, f"idea-requests/{other}/attach", {"idea": idea["_id"]})
    act(api, f"idea-requests/{ignored}/ignore")
    act(api, f"ideas/{idea['_id']}", {"title": "Dark, at last"}, method="PATCH")
    act(api, f"ideas/{idea['_id']}/upvote", {"customer": ana})
    act(api, f"ideas/{idea['_id']}/withdraw-vote", {"customer": ana})
    act(api, f"ideas/{idea['_id']}/downvote")
    act(api, f"ideas/{idea['_id']}/promote")
    act(api, "customers/ana@example.com/confirm")
    (item,) = act(api, "backlog-items", method="GET")["items"]
    act(api, f"backlog-items/{item['_id']}", {"title": "Paint it black"}, method="PATCH")
    act(api, f"backlog-items/{item['_id']}/status", {"status": "Done"})
    okr = act(api, "okrs", {"title": "Ship", "keyResults": [{"title": "All", "targetValue": 9}]})
    key_result = okr["keyResults"][0]["_id"]
    act(api, f"okrs/{okr['_id']}/check-in", {"keyResult": key_result, "value": 3})
    news = act(api, "announcements", {"title": "Soon"})["_id"]
    act(api, f"announcements/{news}/publish")
    act(api, f"announcements/{news}/unpublish")
    for path in (f"announcements/{news}", f"okrs/{okr['_id']}", f"backlog-items/{item['_id']}"):
        act(api, path, method="DELETE")
    act(api, f"ideas/{idea['_id']}", method="DELETE")
    act(api, f"customers/{ana}", method="DELETE")
    raised = {each.event.name for each in api.leanbe.deliveries.list()}
    assert raised == set(EVENT_NAMES)


def test_a_document_is_answered_as_the_very_text_that_its_webhook_carries(api: Api) -> None:
    made = api("POST", "/products/Acme/ideas", {"title": "Größe 1.0 \u2028 😀", "tags": ["ü"]})
    assert made.text == api.leanbe.deliveries.last("idea.created").event.payload_text
    identifier = made.json()["_id"]
    assert api("GET", f"/products/Acme/ideas/{identifier}").content == made.content
    listed = api("GET", "/products/Acme/ideas").text
    assert listed == f'{{"items":[{made.text}],"cursor":null}}'


def test_a_list_goes_on_from_its_cursor_and_is_narrowed_down_by_filters(api: Api) -> None:
    made = [act(api, "ideas", {"title": f"Idea {n}"})["_id"] for n in range(3)]
    act(api, f"ideas/{made[1]}/promote")
    first = act(api, "ideas?limit=2", method="GET")
    rest = act(api, f"ideas?limit=2&cursor={first['cursor']}", method="GET")
    assert [each["_id"] for each in first["items"] + rest["items"]] == made
    assert rest["cursor"] is None
    promoted = act(api, "ideas?promoted=true", method="GET")["items"]
    assert [each["_id"] for each in promoted] == [made[1]]


@pytest.mark.parametrize(
    ("path", "wanted", "other", "query"),
    [
        (
            "customers",
            {"email": "a@example.com"},
            {"email": "b@example.com"},
            "email=a@example.com",
        ),
        (
            "customers",
            {"email": "a@example.com", "confirmed": True},
            {"email": "b@example.com"},
            "confirmed=true",
        ),
        ("ideas", {"archived": True}, {}, "archived=true"),
        ("ideas", {"visibility": "private"}, {}, "visibility=private"),
        ("ideas", {"tags": ["ui"]}, {"tags": ["api"]}, "tag=ui"),
        ("ideas", {"owner": "bo@example.com"}, {}, "owner=bo@example.com"),
        ("ideas", {"assigned": "bo@example.com"}, {}, "assigned=bo@example.com"),
        ("idea-requests", {"customer": "c@example.com"}, {}, "customer=c@example.com"),
        ("backlog-items", {"status": "Done"}, {}, "status=Done"),
        ("backlog-items", {"assigned": "bo@example.com"}, {}, "assigned=bo@example.com"),
        ("okrs", {"owner": "bo@example.com"}, {}, "owner=bo@example.com"),
        ("announcements", {"status": "published"}, {}, "status=published"),
    ],
)
def test_a_filter_lets_through_what_it_says(
    api: Api, path: str, wanted: Any, other: Any, query: str
) -> None:
    act(api, "users", {"email": "bo@example.com", "firstName": "Bo"})
    title = {} if path == "customers" else {"title": "One"}
    made = act(api, path, {**title, **wanted})["_id"]
    act(api, path, {**title, **other})
    found = act(api, f"{path}?{query}", method="GET")["items"]
    assert [each["_id"] for each in found] == [made]


def test_backlog_items_and_requests_are_found_by_their_idea(api: Api) -> None:
    ideas = [act(api, "ideas", {"title": f"Idea {n}"})["_id"] for n in range(2)]
    for idea in ideas:
        asked = act(api, "idea-requests", {"title": "Dark, please"})["_id"]
        act(api, f"idea-requests/{asked}/attach", {"idea": idea})
        act(api, f"ideas/{idea}/promote")
    for path in ("idea-requests", "backlog-items"):
        (found,) = act(api, f"{path}?idea={ideas[1]}", method="GET")["items"]
        assert found["_id"] != act(api, path, method="GET")["items"][0]["_id"]
    assert act(api, "idea-requests?status=attached", method="GET")["items"]
    assert not act(api, "idea-requests?status=new", method="GET")["items"]


def test_a_published_announcement_becomes_a_draft_again(api: Api) -> None:
    news = act(api, "announcements", {"title": "Soon"})["_id"]
    assert act(api, f"announcements/{news}/publish")["status"] == "published"
    assert act(api, f"announcements/{news}/unpublish")["status"] == "draft"


def test_an_action_over_http_only_records(api: Api) -> None:
    act(api, "ideas", {"title": "Dark mode"})
    delivery = api.leanbe.deliveries.last("idea.created")
    assert (delivery.status, delivery.attempts) == ("pending", ())


@pytest.mark.parametrize(
    ("path", "body", "told"),
    [
        ("ideas", {"titel": "Dark"}, "Did you mean title?"),
        ("ideas", {}, "A value for title is missing."),
        ("ideas", {"title": "Dark", "requests": [5]}, "requests[0] is 5. It has to be text"),
        ("ideas", {"title": "Dark", "tags": [1]}, "[0] is 1. It has to be a text or an object."),
        ("okrs", {"title": "Ship", "keyResults": [5]}, "[0] is 5. It has to be an object."),
        ("ideas", {"title": "Dark", "archived": "yes"}, "archived is 'yes'."),
        ("customers", {"email": "nobody"}, "nobody"),
        ("customers", {"email": "a@example.com", "products": {"a": 1}}, "products"),
        ("okrs", {"title": "Ship", "keyResults": 5}, "keyResults is 5."),
        ("backlog-items", {"title": "Paint", "status": 7}, "status is 7."),
        ("announcements", {"title": "Soon", "status": "odd"}, "status"),
    ],
)
def test_a_wrong_field_is_refused_in_the_documents_own_names(
    api: Api, path: str, body: Any, told: str
) -> None:
    refused = api("POST", f"/products/Acme/{path}", body)
    assert refused.status_code == 422, refused.text
    assert told in f"{refused.json()['detail']} {refused.json()['hint']}"


def test_the_hint_for_a_document_without_a_name_asks_for_its_id(api: Api) -> None:
    act(api, "ideas", {"title": "Dark mode"})
    by_title = api("GET", "/products/Acme/ideas/Dark mode").json()
    assert by_title["hint"] == "Name it by its id, or by at least 6 digits of either end of that."
    by_email = api("GET", "/products/Acme/customers/nobody@example.com").json()
    assert by_email["hint"].startswith("Name it in full, or by at least 6 digits")


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("upvote", {"customer": 5}),
        ("upvote", {"custmer": "ana@example.com"}),
        ("withdraw-vote", {}),
        ("promote", {"now": True}),
    ],
)
def test_a_verb_takes_what_belongs_to_it_only(api: Api, verb: str, body: Any) -> None:
    idea = act(api, "ideas", {"title": "Dark mode"})["_id"]
    assert api("POST", f"/products/Acme/ideas/{idea}/{verb}", body).status_code == 422


def test_a_change_names_a_field(api: Api) -> None:
    idea = act(api, "ideas", {"title": "Dark mode"})["_id"]
    for path in (f"/products/Acme/ideas/{idea}", "/products/Acme"):
        refused = api("PATCH", path, {})
        assert refused.status_code == 422
        assert refused.json()["detail"] == "Nothing to change was given."


def test_another_products_document_is_not_found(api: Api) -> None:
    api("POST", "/products", {"name": "Globex"})
    idea = act(api, "ideas", {"title": "Dark mode"})["_id"]
    path = f"/products/Globex/ideas/{idea}"
    for method, asked, body in (
        ("GET", path, None),
        ("PATCH", path, {"title": "Light mode"}),
        ("DELETE", path, None),
        ("POST", f"{path}/promote", None),
    ):
        assert api(method, asked, body).status_code == 404
    assert act(api, f"ideas/{idea}", method="GET")["title"] == "Dark mode"


@pytest.mark.parametrize("missing", ["keyResult", "value"])
def test_a_check_in_says_of_what_and_how_far(api: Api, missing: str) -> None:
    okr = act(api, "okrs", {"title": "Ship", "keyResults": [{"title": "All", "targetValue": 9}]})
    said = {"keyResult": okr["keyResults"][0]["_id"], "value": 3}
    del said[missing]
    refused = api("POST", f"/products/Acme/okrs/{okr['_id']}/check-in", said)
    assert refused.status_code == 422
    assert missing in refused.json()["detail"]


def test_an_action_against_the_present_state_is_a_conflict(api: Api) -> None:
    idea = act(api, "ideas", {"title": "Dark mode"})["_id"]
    act(api, f"ideas/{idea}/promote")
    refused = api("POST", f"/products/Acme/ideas/{idea}/promote")
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")


def test_requests_and_users_are_not_changed_or_deleted(api: Api) -> None:
    asked = act(api, "idea-requests", {"title": "Dark, please"})["_id"]
    for method in ("PATCH", "DELETE"):
        assert api(method, f"/products/Acme/idea-requests/{asked}", {}).status_code == 405
        assert api(method, "/products/Acme/users/bo@example.com", {}).status_code == 405


def test_a_member_of_the_team_has_access_to_another_product_too(api: Api) -> None:
    bo = act(api, "users", {"email": "bo@example.com", "firstName": "Bo"})
    api("POST", "/products", {"name": "Globex"})
    granted = api("POST", "/products/Globex/users", {"user": "bo@example.com"})
    assert (granted.status_code, granted.json()) == (201, bo)
    assert api("GET", "/products/Globex/users/bo@example.com").json() == bo
    assert bo in act(api, "users", method="GET")["items"]
    assert api("POST", "/products/Acme/users", {"email": "c@example.com"}).status_code == 422
