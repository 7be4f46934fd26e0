"""Every refusal says in its answer what to do."""

import gzip
import re
from collections.abc import Iterator

import pytest

from tests.support.api_client import Api, open_api, openapi_document
from tests.support.command_tree import all_commands
from tests.support.surfaces import command_names

WRONG = (b"", b"{", b"[]", b"\xff", b'{"bogus": 1}', rb'{"\ud800": 1}', b'{"a": 1, "a": 2}')
SET_WEBHOOK = "PUT /api/v1/products/{product}/webhook"
BO = {"email": "bo@example.com", "firstName": "Bo"}
EXAMPLE = r'Send JSON like {"seconds":3600}; its Content-Type does not matter.'


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    with open_api() as api:
        api("POST", "/products", {"name": "Acme"})
        yield api


def operations() -> list[tuple[str, str]]:
    """Return method and path of each, with a product that is there, and all else that is not."""
    paths = openapi_document(needs_token=False)["paths"]
    return [
        (method.upper(), re.sub(r"{\w+}", "nothing", path.replace("{product}", "Acme")))
        for path, item in paths.items()
        for method in item
        if not path.endswith("/stream")
    ]


def require_words_of_http(hint: str) -> None:
    """See that a hint names no command, no option but of a server's start, and no call."""
    tree = dict(all_commands())
    at_start = {option for param in tree["serve"].params for option in param.opts}
    options = {option for each in tree.values() for param in each.params for option in param.opts}
    assert not set(re.findall(r"--[a-z-]+", hint)) & (options - at_start)
    assert not [each for each in command_names() if " " in each and re.search(rf"\b{each}\b", hint)]
    assert "leanbe." not in hint
    assert "leanbe-emitter " not in hint


@pytest.mark.parametrize(("method", "path"), operations())
def test_no_refusal_is_without_a_hint(api: Api, method: str, path: str) -> None:
    answers = [api.at(method, path, params={"bogus": 1})]
    if method in {"POST", "PUT", "PATCH"} and not path.endswith(("reset", "wait")):
        answers += [api.at(method, path, content=content) for content in WRONG]
    for answer in answers:
        if answer.is_error:
            hint = answer.json()["hint"]
            assert hint, answer.text
            assert " ." not in hint
            require_words_of_http(hint)


@pytest.mark.parametrize(
    ("method", "path", "body", "hint"),
    [
        ("POST", "/webhook/rotate", None, f"It gets one with its first URL: {SET_WEBHOOK}."),
        ("GET", "/webhook/secret", None, f"It gets one with its first URL: {SET_WEBHOOK}."),
        (
            "POST",
            "/ideas",
            {"title": "Maps", "owner": "bo@example.com"},
            'Give it: POST /api/v1/products/{product}/users with {"user":"bo@example.com"}.',
        ),
    ],
)
def test_a_hint_says_what_to_do_over_http(
    api: Api, method: str, path: str, body: dict[str, str] | None, hint: str
) -> None:
    api("POST", "/products", {"name": "Globex", "owner": BO})
    refused = api(method, f"/products/Acme{path}", body).json()
    assert refused["hint"] == hint
    require_words_of_http(hint)


@pytest.mark.parametrize(("method", "what"), [("POST", "redeliver"), ("GET", "code")])
def test_a_delivery_without_a_url_is_told_how_to_set_one(api: Api, method: str, what: str) -> None:
    product = {"name": f"Without {what}", "webhook": {"url": "http://127.0.0.1:9/"}}
    product_id = api("POST", "/products", product).json()["_id"]
    delivery = api("POST", f"/products/{product_id}/webhook/test").json()["delivery"]["_id"]
    api("DELETE", f"/products/{product_id}/webhook")
    refused = api(method, f"/deliveries/{delivery}/{what}").json()
    assert refused["code"] == "conflict"
    assert refused["hint"].endswith(f": {SET_WEBHOOK}.")


@pytest.mark.parametrize(
    ("content", "detail", "hint"),
    [
        (b"", "The body is empty.", EXAMPLE),
        (b"[]", "The body is no JSON object.", EXAMPLE),
        (
            b'\xef\xbb\xbf{"seconds": 5}',
            "This is not JSON: it begins with a byte order mark.",
            "Write it in UTF-8 without the mark.",
        ),
        (b"seconds=5", "This is not JSON", 'JSON is like {"name": "Acme"}: put names and texts'),
        (b'{"bogus": 1}', "There is no member 'bogus' here.", "There are seconds or to."),
        (rb'{"\ud800": 1}', r"There is no member '\ud800' here.", "There are seconds or to."),
        (b'{"seconds": 1e30}', "seconds is 1e+30.", "It has to be at most 315360000."),
    ],
)
def test_a_hint_says_what_a_body_looks_like(
    api: Api, content: bytes, detail: str, hint: str
) -> None:
    refused = api("POST", "/clock/advance", content=content).json()
    assert refused["detail"].startswith(detail)
    assert refused["hint"].startswith(hint)


@pytest.mark.parametrize(
    "content",
    [  # without the time, which would name the test in each process after another second
        b'{"name": "B"}',
        gzip.compress(b'{"name": "B"}', mtime=0),
    ],
)
def test_a_body_that_is_encoded_is_refused_for_that(api: Api, content: bytes) -> None:
    headers = {"Content-Encoding": "gzip"}
    refused = api("POST", "/products", content=content, headers=headers)
    assert refused.status_code == 422
    assert refused.json()["detail"] == "The body has the Content-Encoding 'gzip'."


def test_a_body_that_is_encoded_as_itself_is_taken(api: Api) -> None:
    headers = {"Content-Encoding": "identity"}
    assert api("POST", "/products", {"name": "B"}, headers=headers).status_code == 201
