"""Odd texts are refused as any other, wherever they stand, and the document says so, too."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from leanbe_emitter.server.schemas import json_schema
from tests.support.api_client import Api, open_api
from tests.support.node import Node

#: White space for Python, and some of it for JavaScript.
SPACES = "\x1c\x1d\x1e\x1f\x85\u00a0\u2003"
NUL = "a\u0000b"
IN_PATHS = (
    "/products/{}",
    "/products/{}/webhook/secret",
    "/products/Acme/users/{}",
    "/products/Acme/ideas/{}",
    "/products/Acme/customers/{}",
    "/products/Acme/assumptions/{}",
    "/deliveries/{}",
    "/events/{}",
    "/events/catalogue/{}/schema",
    "/deliveries?product={}",
    "/deliveries?cursor={}",
    "/events?product={}&event=*",
    "/products/Acme/ideas?tag={}",
    "/products/Acme/ideas?visibility={}",
    "/products/Acme/ideas?owner={}",
    "/products/Acme/customers?email={}",
    "/products/Acme/backlog-items?status={}",
    "/products/Acme/idea-requests?customer={}",
)
IN_BODIES: tuple[tuple[str, Any], ...] = (
    ("/products", {"name": NUL}),
    ("/products", {"name": "B", "owner": {"email": NUL, "firstName": "Bo"}}),
    ("/products", {"name": "B", "webhook": {"url": "http://127.0.0.1/" + NUL}}),
    ("/products/Acme/users", {"user": NUL}),
    ("/products/Acme/ideas", {"title": NUL}),
    ("/products/Acme/ideas", {"title": "Dark", "owner": NUL}),
    ("/products/Acme/ideas", {"title": "Dark", "requests": [NUL]}),
    ("/products/Acme/idea-requests", {"title": "Dark", "customer": NUL}),
    ("/products/Acme/customers", {"email": "a@example.com", "products": [NUL]}),
    ("/products/Acme/events", {"event": "idea.created", "sameAs": NUL}),
    ("/products/Acme/events", {"event": NUL}),
    ("/deliveries/redeliver", {"ids": [NUL]}),
    ("/deliveries/redeliver", {"status": "pending", "job": NUL}),
    ("/deliveries/discard", {"ids": [NUL]}),
    ("/deliveries/wait", {"product": NUL, "timeout": 0}),
    ("/deliveries/wait", {"after": NUL, "timeout": 0}),
    ("/faults", {"kind": "receiver_fails", "product": NUL}),
)


@pytest.fixture
def api(database_url: str) -> Iterator[Api]:
    with open_api(database_url) as api:
        webhook = {"url": "http://127.0.0.1:9/hooks"}
        api("POST", "/products", {"name": "Acme", "webhook": webhook})
        api("POST", "/products/Acme/ideas", {"title": "Dark mode"})
        yield api


def test_in_a_path_or_a_query_it_names_nothing(api: Api) -> None:
    for path in IN_PATHS:
        assert api("GET", path.format("a%00b")).status_code in {404, 422}, path


@pytest.mark.parametrize("odd", [r"\u0000", r"\ud800"])
def test_in_a_body_it_is_refused(api: Api, odd: str) -> None:
    for path, body in IN_BODIES:
        content = json.dumps(body).replace(r"\u0000", odd)
        assert api("POST", path, content=content).status_code in {404, 422}, (path, body)


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    with Node.started() as node:
        yield node


def test_white_space_that_is_refused_does_not_fit_the_documents_patterns(
    api: Api, node: Node
) -> None:
    fits = "return new RegExp(given[0], 'u').test(given[1])"
    for space in SPACES:
        email = f"a{space}b@example.com"
        user = {"email": email, "firstName": "Bo"}
        assert api("POST", "/products/Acme/users", user).status_code == 422, ascii(space)
        assert api("POST", "/products/Acme/ideas", {"title": space}).status_code == 422
        assert not node.run(fits, json_schema.EMAIL["pattern"], email)
        assert not node.run(fits, json_schema.NON_SPACE, space)
    assert node.run(fits, json_schema.EMAIL["pattern"], "ana@example.com")
