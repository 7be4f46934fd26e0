"""A framework's test client as a receiver: the request passes through the client.

The client adds its cookies, credentials and defaults. The user decides whether the app's lifespan
runs (``with TestClient(app) as client``), and the client has an event loop of its own. The client
follows no redirects.
"""

from collections.abc import Callable, Iterable
from typing import Any

from leanbe_emitter.delivery.in_process.app_errors import reason_phrase
from leanbe_emitter.delivery.in_process.frameworks import is_instance_of
from leanbe_emitter.delivery.in_process.sync_transport import CallReceiver
from leanbe_emitter.delivery.network.transport import AnswerBuffer, OutgoingRequest
from leanbe_emitter.target_rules import Target

# Headers that clients write from the URL and the body.
_OF_THE_MESSAGE = frozenset({"host", "content-length"})


def call_through_client(client: Any) -> CallReceiver | None:
    """Return the function that sends a request through a test client; None for other objects."""
    for (module, name), make in _CLIENTS.items():
        if is_instance_of(client, module, name):
            return make(client)
    return None


def _werkzeug(client: Any) -> CallReceiver:
    def ask(request: OutgoingRequest, answer: AnswerBuffer) -> None:
        target = Target.of(request.url)
        response = client.open(
            target.path,
            base_url=f"{target.scheme}://{target.authority}",
            method=request.method,
            headers=_headers(request),
            data=request.body,
            follow_redirects=False,
            buffered=True,
        )
        with response:
            _take(answer, response.status_code, response.headers, response.data)

    return ask


def _django(client: Any) -> CallReceiver:
    def ask(request: OutgoingRequest, answer: AnswerBuffer) -> None:
        target = Target.of(request.url)
        headers = dict(_headers(request))
        response = client.generic(
            request.method,
            target.path,
            request.body,
            content_type=headers.pop("Content-Type", "application/octet-stream"),
            secure=target.scheme == "https",
            headers={**headers, "Host": target.authority},
        )
        body = b"".join(response.streaming_content) if response.streaming else response.content
        _take(answer, response.status_code, response.items(), body)

    return ask


def _httpx_like(client: Any) -> CallReceiver:
    """Send through Starlette's or Litestar's client, which have the methods of httpx."""

    def ask(request: OutgoingRequest, answer: AnswerBuffer) -> None:
        response = client.request(
            request.method,
            Target.of(request.url).path,
            headers=_headers(request),
            content=request.body,
            follow_redirects=False,
        )
        _take(answer, response.status_code, response.headers.multi_items(), response.content)

    return ask


_CLIENTS: dict[tuple[str, str], Callable[[Any], CallReceiver]] = {
    ("werkzeug.test", "Client"): _werkzeug,
    ("django.test.client", "Client"): _django,
    ("starlette.testclient", "TestClient"): _httpx_like,
    ("litestar.testing.client.sync_client", "TestClient"): _httpx_like,
}


def _headers(request: OutgoingRequest) -> list[tuple[str, str]]:
    return [each for each in request.headers if each[0].lower() not in _OF_THE_MESSAGE]


def _take(
    answer: AnswerBuffer, status: int, headers: Iterable[tuple[str, str]], body: bytes
) -> None:
    pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    answer.begin(status, pairs, reason=reason_phrase(status))
    answer.add(body)
