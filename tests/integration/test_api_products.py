"""Products over the API, and what becomes of errors: each has its status and its code."""

from collections.abc import AsyncIterator, Iterator

import pytest

from leanbe_emitter import Settings
from tests.support.api_client import Api, open_api

pytestmark = pytest.mark.any_database

URL = "http://127.0.0.1:9/hooks"
TAGS = {"tags[0].title": "ui"}


@pytest.fixture
def api(database_url: str) -> Iterator[Api]:
    with open_api(database_url) as api:
        yield api


def test_a_product_is_made_with_its_webhook_and_shows_its_secret_where_it_is_asked_for(
    api: Api,
) -> None:
    wanted = {
        "name": "Acme",
        "webhook": {
            "url": URL,
            "secret": "whsec_test",
            "headers": {"X-Env": "test"},
            "insecure": True,
        },
        "owner": {"email": "bo@example.com", "firstName": "Bo"},
        "assumptions": {"max_attempts": "1"},
    }
    made = api("POST", "/products", wanted)
    assert made.status_code == 201
    product = made.json()
    assert "whsec_test" not in made.text
    assert api("GET", "/products/Acme/webhook/secret").json() == {"secret": "whsec_test"}
    assert (product["webhook"]["headers"], product["webhook"]["insecure"]) == (["X-Env"], True)
    assert api("GET", "/products/Acme/users").json()["items"][0]["email"] == "bo@example.com"
    assert product["assumptions"] == {"max_attempts": "1"}
    assert api("GET", "/products/Acme").json() == product
    assert api("GET", "/products").json() == {"items": [product], "cursor": None}
    assert "whsec_test" not in api("GET", "/products").text


def test_a_change_is_of_what_was_named_only(api: Api) -> None:
    api("POST", "/products", {"name": "Acme"})
    changed = api("PATCH", "/products/Acme", {"name": "Globex", "statuses": ["Open", "Done"]})
    assert (changed.json()["name"], changed.json()["statuses"]) == ("Globex", ["Open", "Done"])
    assert api("PATCH", "/products/Globex", {"name": "Acme"}).json()["statuses"] == ["Open", "Done"]


def test_a_change_that_is_refused_leaves_all_as_it_was(api: Api) -> None:
    before = api("POST", "/products", {"name": "Acme"}).json()
    refused = api("PATCH", "/products/Acme", {"name": "Globex", "statuses": []})
    assert refused.status_code == 422
    assert api("GET", "/products/Acme").json() == before


@pytest.mark.parametrize("change", [{"name": None}, {"name": "Globex", "statuses": None}])
def test_a_change_to_null_is_refused(api: Api, change: object) -> None:
    before = api("POST", "/products", {"name": "Acme"}).json()
    refused = api("PATCH", "/products/Acme", change)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_value")
    assert api("GET", "/products/Acme").json() == before


def test_a_deleted_product_is_not_there_any_more(api: Api) -> None:
    api("POST", "/products", {"name": "Acme"})
    deleted = api("DELETE", "/products/Acme")
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert api("GET", "/products/Acme").status_code == 404


def test_a_write_answers_with_the_cursor_from_before_it(api: Api) -> None:
    api("POST", "/products", {"name": "Acme"})
    before = str(api.leanbe.journal.wait_cursor())
    made = api("POST", "/products/Acme/ideas", {"title": "Dark mode"})
    assert made.headers["Leanbe-Emitter-Cursor"] == before
    assert str(api.leanbe.journal.wait_cursor()) != before


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/products/Nobody", None, 404, "not_found"),
        ("POST", "/products", {"name": "Acme"}, 409, "conflict"),
        ("POST", "/products", {"name": ""}, 422, "invalid_value"),
        ("POST", "/products", {"name": 1}, 422, "invalid_value"),
        ("POST", "/products", {"name": "B", "nmae": "C"}, 422, "invalid_value"),
        ("POST", "/products", [], 422, "invalid_value"),
        ("PATCH", "/products/Acme", {}, 422, "invalid_value"),
        ("POST", "/products", {"name": "B", "webhook": {"url": "ftp://x"}}, 422, "invalid_target"),
        ("GET", "/products?nmae=Acme", None, 422, "invalid_value"),
        ("GET", "/nowhere", None, 404, "no_such_path"),
        ("GET", "/products/Acme/assumptions/max_atempts", None, 404, "not_found"),
        ("PUT", "/products/Acme/assumptions/max_atempts", {"value": 1}, 404, "not_found"),
        ("DELETE", "/products/Acme/assumptions/max_atempts", None, 404, "not_found"),
        ("PUT", "/products/Acme/assumptions", {"max_atempts": 1}, 422, "invalid_value"),
        ("GET", "/events/catalogue/idea.upvoted/schema", None, 404, "not_found"),
        ("POST", "/products/Acme/events", {"event": "idea.upvoted"}, 422, "invalid_value"),
        ("DELETE", "/products/Acme%2Fwebhook", None, 404, "no_such_path"),
        ("PUT", "/products", {}, 405, "method_not_allowed"),
        ("GET", "/deliveries/wait", None, 405, "method_not_allowed"),
        ("GET", "/deliveries/waits", None, 404, "not_found"),
    ],
)
def test_each_error_has_its_status_and_its_code(  # noqa: PLR0917 - a line of the table
    api: Api, method: str, path: str, body: object, status: int, code: str
) -> None:
    api("POST", "/products", {"name": "Acme"})
    answer = api(method, path, body)
    told = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, told["status"], told["code"]) == (status, status, code)
    assert told["detail"]


@pytest.mark.parametrize(
    ("path", "nearest"),
    [
        ("/products/Acme/assumptions/max_atempts", "max_attempts"),
        ("/events/catalogue/idea.upvoted/schema", "idea.upVoted"),
        ("/products/Acne", "Acme"),
        ("/products/Acme/idea", "Did you mean /api/v1/products/Acme/ideas"),
        ("/product", "Did you mean /api/v1/products? All paths"),
        ("/nowhere", "All paths are in /openapi.json."),
        ("/stream?after=1", "Leanbe-Emitter-Cursor"),
    ],
)
def test_a_name_in_a_path_that_names_nothing_is_answered_with_the_nearest(
    api: Api, path: str, nearest: str
) -> None:
    api("POST", "/products", {"name": "Acme"})
    assert nearest in api("GET", path).json()["hint"]


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        ({"name": "B", "webhook": "http://127.0.0.1/"}, 'An example: {"url":"http://127.0.0.1:'),
        ({"name": 5}, "It has to be text: put it in quotes."),
    ],
)
def test_a_member_of_a_wrong_type_is_answered_with_an_example(
    api: Api, body: object, hint: str
) -> None:
    assert hint in api("POST", "/products", body).json()["hint"]


def test_a_name_with_a_slash_is_reached_by_its_id_and_never_taken_for_two_parts(api: Api) -> None:
    webhook = {"url": "http://127.0.0.1:9/"}
    api("POST", "/products", {"name": "Acme", "webhook": webhook})
    made = api("POST", "/products", {"name": "Acme/webhook"}).json()
    refused = api("DELETE", "/products/Acme%2fwebhook")
    assert (refused.status_code, refused.json()["hint"]) == (
        404,
        "Use the id instead of a name with a slash.",
    )
    assert api("GET", "/products/Acme/webhook").json()["url"] == webhook["url"]
    assert api("GET", f"/products/{made['_id']}").json() == made


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/products/Acme/events", {"event": "okr.created", "payload": 1, "set": {"title": "x"}}),
        ("/products/Acme/events", {"event": "okr.created", "payload": {}, "strict": True}),
        ("/products/Acme/events", {"event": "idea.created", "payload": {"tags": 1}, "set": TAGS}),
        ("/products", {"name": "B", "webhook": {"url": URL, "caFile": "/no/such.pem"}}),
        ("/products", {"name": "B", "webhook": {"url": "http://a:b@127.0.0.1/"}}),
    ],
)
def test_hints_of_the_api_have_no_words_of_the_command_line(
    api: Api, path: str, body: object
) -> None:
    api("POST", "/products", {"name": "Acme"})
    refused = api("POST", path, body)
    assert refused.status_code == 422
    assert refused.json()["hint"]
    assert "--" not in refused.json()["hint"]


def test_a_method_that_is_not_allowed_is_answered_with_those_that_are(api: Api) -> None:
    assert api("PUT", "/products", {}).headers["allow"] == "GET, HEAD, POST"
    assert api("PUT", "/deliveries/wait", {}).headers["allow"] == "POST"


@pytest.mark.parametrize(
    "content", [b"", b"{", b'{"name": NaN}', b"\xff", b'{"name": ' + b"[" * 500 + b"]" * 500 + b"}"]
)
def test_a_body_that_is_no_json_is_refused_in_words(content: bytes) -> None:
    with open_api() as api:
        answer = api("POST", "/products", content=content)
    assert answer.status_code == 422
    assert answer.json()["detail"]


def test_a_body_beyond_the_limit_is_refused() -> None:
    with open_api(settings=Settings(max_request_bytes=64)) as api:
        assert api("POST", "/products", {"name": "x" * 40}).status_code == 201
        answer = api("POST", "/products", {"name": "x" * 64})
        assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large")


def test_a_body_of_no_declared_length_is_not_read_beyond_the_limit() -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b" " * 16

    with open_api(settings=Settings(max_request_bytes=64)) as api:
        assert api("POST", "/products", content=endless()).status_code == 413


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/info?foo=1"),
        ("GET", "/products?limit=1"),
        ("GET", "/products/Acme?foo=1"),
        ("GET", "/products/Acme/users?foo=1"),
        ("GET", "/products/Acme/assumptions?limit=1"),
        ("POST", "/products/Acme/webhook/test?event=idea.created"),
        ("DELETE", "/products/Acme?force=true"),
    ],
)
def test_a_parameter_that_an_operation_does_not_describe_is_refused(
    api: Api, method: str, path: str
) -> None:
    api("POST", "/products", {"name": "Acme", "webhook": {"url": URL}})
    refused = api(method, path)
    assert refused.status_code == 422
    assert refused.json()["hint"] == "There is none here."


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/products/Acme"),
        ("POST", "/products/Acme/webhook/test"),
        ("POST", "/clock/run-until-settled"),
        ("DELETE", "/products/Acme"),
    ],
)
def test_a_body_that_an_operation_does_not_describe_is_refused(
    api: Api, method: str, path: str
) -> None:
    api("POST", "/products", {"name": "Acme", "webhook": {"url": URL}})
    refused = api(method, path, {"event": "idea.created"})
    assert (refused.status_code, refused.json()["hint"]) == (422, "Send none.")
    assert not api.leanbe.events.list()


def test_an_empty_object_is_no_body(api: Api) -> None:
    api("POST", "/products", {"name": "Acme", "webhook": {"url": URL}})
    assert api("POST", "/products/Acme/webhook/test", {}).status_code == 201


@pytest.mark.parametrize(
    ("path", "body", "detail", "hint"),
    [
        ("/products", {"nme": "x"}, "There is no member 'nme' here.", "Did you mean name?"),
        ("/products", {}, "name is missing.", "Give name."),
        ("/products", {"name": None}, "name is null.", "It has to be text."),
        (
            "/products",
            {"name": "x", "webhook": {"url": None}},
            "In webhook: url is null.",
            "It has to be a URL. For no webhook, leave the webhook out, or DELETE it.",
        ),
        (
            "/products",
            {"name": "x", "webhook": {"uri": URL}},
            "In webhook: There is no member 'uri' here.",
            "Did you mean url?",
        ),
        (
            "/products/Acme/events",
            {"event": "idea.created", "same_as": "x"},
            "There is no member 'same_as' here.",
            "Did you mean sameAs?",
        ),
        (
            "/deliveries/discard",
            {"ids": [7]},
            "In ids: ids[0] is 7.",
            "It has to be text: put it in quotes.",
        ),
        ("/clock/advance", {"seconds": 0}, "seconds is 0.", "It has to be at least 0.001."),
        ("/reset", {"ids": "again"}, "ids is 'again'.", "Use 'go on' or 'restart'."),
    ],
)
def test_a_wrong_body_is_described_with_a_remedy(
    api: Api, path: str, body: object, detail: str, hint: str
) -> None:
    refused = api("POST", path, body)
    assert refused.status_code == 422
    assert (refused.json()["detail"], refused.json()["hint"]) == (detail, hint)
