"""The API's document: it is there for all there is, and its examples do what they say."""

import json
import re
from collections.abc import Iterator
from functools import reduce
from operator import getitem
from typing import Any

import httpx
import pytest
from jsonschema_rs import Draft202012Validator, meta
from openapi_spec_validator import validate

from leanbe_emitter import Settings
from leanbe_emitter.server.http.access import Access
from leanbe_emitter.wire.event_names import EVENT_NAMES
from tests.support.api_client import Api, open_api, openapi_document
from tests.support.openapi_check import OpenApiCheck, component_name

RESOURCES = ("customers", "ideas", "idea-requests", "backlog-items", "okrs", "announcements")


@pytest.fixture(scope="module")
def document() -> Any:
    with open_api() as api:
        return api.at("GET", "/openapi.json").json()


@pytest.fixture
def api() -> Iterator[Api]:
    with open_api() as api:
        api("POST", "/products", {"name": "Acme"})
        yield api


def operations(document: Any) -> list[Any]:
    return [each for path in document["paths"].values() for each in path.values()]


def responses(document: Any, operation: Any) -> Iterator[tuple[str, Any]]:
    """Yield statuses and responses; those that operations share are components."""
    for status, response in operation["responses"].items():
        name = component_name(response)
        yield status, document["components"]["responses"][name] if name else response


def bodies(document: Any, operation: Any) -> list[Any]:
    """Return all that has content: the request's body, and the responses."""
    answered = [response for _, response in responses(document, operation)]
    return [operation.get("requestBody", {}), *answered]


@pytest.mark.parametrize("token", ["", "tok_other"])
def test_nothing_but_a_token_makes_it_another_one(token: str) -> None:
    settings = Settings(max_depth=5, assume={"max_attempts": "1"})
    with open_api(access=Access(token=token), settings=settings) as api:
        assert api.app.state.openapi() == openapi_document(needs_token=bool(token))


def test_it_describes_every_operation_and_its_answers(document: Any) -> None:
    assert document["openapi"] == "3.1.0"
    assert len(operations(document)) > 60
    names = {each["operationId"] for each in operations(document)}
    assert len(names) == len(operations(document))
    assert all(name.isidentifier() for name in names)
    for operation in operations(document):
        assert operation["summary"]
        assert operation["description"]
        assert all(response["description"] for _, response in responses(document, operation))
        for parameter in operation.get("parameters", []):
            assert parameter["description"], parameter


def test_it_has_an_example_that_fits_of_all_that_is_asked_and_answered(document: Any) -> None:
    contents = [
        content
        for operation in operations(document)
        for part in (*operation.get("parameters", []), *bodies(document, operation))
        for content in ([part] if "schema" in part else part.get("content", {}).values())
    ]
    # One schema of them all: each of its own would have a copy of the components.
    schema = {
        "prefixItems": [each["schema"] for each in contents],
        "components": document["components"],
    }
    assert len(contents) > 1000
    Draft202012Validator(schema).validate([each["example"] for each in contents])


def test_the_example_of_an_error_has_the_status_that_it_stands_at(document: Any) -> None:
    for operation in operations(document):
        for status, response in responses(document, operation):
            problem = response.get("content", {}).get("application/problem+json")
            assert problem is None or problem["example"]["status"] == int(status)


def test_a_made_object_is_linked_with_all_operations_on_it(document: Any) -> None:
    def linked(path: str) -> set[str]:
        return set(document["paths"][path]["post"]["responses"]["201"]["links"])

    ideas = linked("/api/v1/products/{product}/ideas")
    assert {"patch_products_product_ideas_reference", "post_products_product_ideas"} & ideas == {
        "patch_products_product_ideas_reference"
    }
    assert "post_products_product_ideas" in linked("/api/v1/products")
    assert "delete_products_product_ideas_reference" not in linked("/api/v1/products")
    triggered = linked("/api/v1/products/{product}/events")
    assert triggered >= {"get_events_reference", "post_deliveries_reference_redeliver"}
    ids = {each["operationId"] for each in operations(document)}
    for operation in operations(document):
        for answer in operation["responses"].values():
            assert set(answer.get("links", {})) <= ids


def test_generators_of_clients_find_what_they_need(document: Any) -> None:
    """They drop operations with an enum of several types, and know no other URL and no token.

    For a member that is a constant boolean, they write code that does not compile.
    """
    assert all(each["operationId"] for each in operations(document))
    assert [each["url"] for each in document["servers"]] == ["/"]
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    enums = [*values_of("enum", document)]
    assert len(enums) > 100
    for each in enums:
        assert len({type(value) for value in each if value is not None}) == 1, each
    for path in document["paths"].values():
        assert not any(isinstance(each, bool) for each in values_of("const", path))


def values_of(key: str, value: Any) -> Iterator[Any]:
    """Yield the values of a key at every depth, but not those of examples, and behind "not"."""
    if isinstance(value, dict):
        if key in value and not isinstance(value[key], dict):
            yield value[key]
        for name, each in value.items():
            if name not in {"example", "examples", "not"}:
                yield from values_of(key, each)
    elif isinstance(value, list):
        for each in value:
            yield from values_of(key, each)


def test_it_says_that_a_token_is_needed_where_one_is(document: Any) -> None:
    assert "security" not in document
    with open_api(access=Access(token="tok_test")) as api:
        headers = {"Authorization": "Bearer tok_test"}
        locked = api.at("GET", "/openapi.json", headers=headers).json()
    assert locked["security"] == [{"token": []}]
    assert locked["paths"]["/healthz"]["get"]["security"] == []
    assert "security" not in locked["paths"]["/api/v1/info"]["get"]


def test_it_has_the_22_events_as_webhooks_with_bodies_that_fit(document: Any) -> None:
    assert list(document["webhooks"]) == list(EVENT_NAMES)
    for webhook in document["webhooks"].values():
        content = webhook["post"]["requestBody"]["content"]["application/json"]
        Draft202012Validator(content["schema"]).validate(content["example"])


def test_it_is_a_document_of_openapi(document: Any) -> None:
    validate(document)


def test_every_schema_in_it_is_one(document: Any) -> None:
    for operation in operations(document):
        for body in bodies(document, operation):
            for content in body.get("content", {}).values():
                meta.validate(content["schema"])


def test_every_reference_of_the_document_is_inside_it(document: Any) -> None:
    places = set(re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(document)))
    assert places
    for place in places:
        assert reduce(getitem, place.split("/"), document)


@pytest.mark.parametrize("resource", RESOURCES)
def test_the_example_of_a_new_document_makes_one(api: Api, document: Any, resource: str) -> None:
    operation = document["paths"][f"/api/v1/products/{{product}}/{resource}"]["post"]
    example = operation["requestBody"]["content"]["application/json"]["example"]
    assert api("POST", f"/products/Acme/{resource}", example).status_code == 201


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/products", {"name": " "}, 422),
        ("/products", {"name": "B", "owner": {"email": "bo", "firstName": "Bo"}}, 422),
        ("/products", {"name": "B", "assumptions": {"method": "GET"}}, 422),
        ("/products", {"name": "B", "webhook": {"url": "ftp://127.0.0.1/"}}, 422),
        ("/products", {"name": "B", "webhook": {"url": "http://127.0.0.1/", "secret": ""}}, 422),
        ("/products", {"name": "B", "webhook": None, "owner": None}, 201),
        ("/products/{product}/users", {}, 422),
        ("/products/{product}/users", {"email": "c@example.com", "user": "bo"}, 422),
        ("/products/{product}/users", {"email": "c@example.com", "firstName": "C"}, 201),
        ("/products/{product}/users", {"email": "a@b@c", "firstName": "C"}, 422),
        ("/products/{product}/users", {"email": " c@example.com\x85", "firstName": "C"}, 201),
        ("/products/{product}/customers", {"email": "a@b@c"}, 422),
        ("/products/{product}/customers", {"email": "@b"}, 422),
        ("/products/{product}/customers", {"email": "§@z\x8c"}, 201),
        ("/products/{product}/ideas", {}, 422),
        ("/products/{product}/ideas", {"title": "Dark", "tags": [{}]}, 422),
        ("/products/{product}/ideas", {"title": "Dark", "tags": ["ui", {"title": "x"}]}, 201),
        ("/products/{product}/okrs", {"title": "Ship", "keyResults": [{"title": "All"}]}, 422),
        ("/products/{product}/customers", {"email": "a@example.com", "products": [{}]}, 422),
        ("/products/{product}/customers", {"email": "a@example.com", "gender": None}, 201),
        ("/faults", {"kind": "receiver_fails", "times": 2.0}, 201),
        ("/faults", {"kind": "receiver_fails", "times": 2.5}, 422),
        ("/faults", {"kind": "receiver_fails", "times": 0}, 422),
        ("/deliveries/discard", {"olderThan": "30 days"}, 422),
        ("/deliveries/discard", {"olderThan": "1h30m"}, 200),
        ("/deliveries/wait", {"timeout": 0, "status": "done"}, 422),
        ("/deliveries/wait", {"timeout": 0, "count": 1001}, 422),
    ],
)
def test_a_body_that_is_refused_is_none_by_its_schema_either(
    api: Api, document: Any, path: str, body: Any, status: int
) -> None:
    operation = document["paths"][f"/api/v1{path}"]["post"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    assert Draft202012Validator(schema).is_valid(body) is (status != 422)
    assert api("POST", path.format(product="Acme"), body).status_code == status


def test_a_change_of_nothing_is_none_by_its_schema(document: Any) -> None:
    changes = [each["patch"] for each in document["paths"].values() if "patch" in each]
    assert len(changes) == 6
    for operation in changes:
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        assert not Draft202012Validator(schema).is_valid({})


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, {"items": []}),
        (200, {"items": [{"_id": "1"}], "cursor": None}),
        (418, {"items": [], "cursor": None}),
    ],
)
def test_an_answer_that_it_does_not_promise_is_found_out(
    document: Any, status: int, body: Any
) -> None:
    answer = httpx.Response(status, json=body)
    with pytest.raises(AssertionError):
        OpenApiCheck(document)("GET", "/api/v1/products", answer)


def test_it_says_that_health_is_told_to_no_page_of_the_web(document: Any) -> None:
    assert "403" in document["paths"]["/healthz"]["get"]["responses"]
