"""Names that nothing has, of almost a mebibyte: each is refused quickly, and never shown whole."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from leanbe_emitter.clock import stopwatch
from tests.support.server_process import RunningServer
from tests.support.server_under_attack import bounded_memory, is_healthy

LONG = "ideas.created" * 70_000
#: Each has the long name in one place.
REQUESTS: dict[str, tuple[str, str, Any]] = {
    "event": ("POST", "/products/Acme/events", {"event": LONG}),
    "path": ("POST", "/products/Acme/events", {"event": "idea.created", "set": {LONG: 1}}),
    "assumption": (
        "POST",
        "/products/Acme/events",
        {"event": "idea.created", "assume": {LONG: "1"}},
    ),
    "delivery": ("POST", "/products/Acme/events", {"event": "idea.created", "sameAs": LONG}),
    "product": ("POST", "/deliveries/wait", {"product": LONG, "timeout": 0}),
    "glob": ("POST", "/deliveries/wait", {"event": "*" + LONG, "timeout": 0}),
    "status": ("POST", "/deliveries/wait", {"status": LONG, "timeout": 0}),
    "cursor": ("POST", "/deliveries/wait", {"after": LONG, "timeout": 0}),
    "fault": ("POST", "/faults", {"kind": LONG}),
    "manner": ("POST", "/faults", {"kind": "receiver_fails", "how": LONG}),
    "customer": ("POST", "/products/Acme/ideas/x/upvote", {"customer": LONG}),
    "field": ("POST", "/products/Acme/ideas", {LONG: 1}),
    "many events": ("POST", "/products/Acme/trigger", {"events": ["ideaa.createdd"] * 55_000}),
    "glob of a product": ("PUT", "/products/Acme/assumptions/events", {"value": "*" + LONG}),
    "address": ("POST", "/products/Acme/customers", {"email": LONG}),
    "url": ("PUT", "/products/Acme/webhook", {"url": f"http://{LONG}/"}),
    "file": ("PUT", "/products/Acme/webhook", {"url": "http://127.0.0.1:9/", "caFile": LONG}),
    "instant": ("PUT", "/clock", {"now": LONG}),
    "age": ("POST", "/deliveries/discard", {"olderThan": LONG}),
}


@pytest.mark.usefixtures("leanbe")
def test_long_names_cost_others_nothing_and_are_shown_shortened(served: RunningServer) -> None:
    def ask(request: tuple[str, str, Any]) -> tuple[int, int]:
        method, path, body = request
        answer = served.client.request(method, path, json=body)
        return answer.status_code, len(answer.content)

    began_at = stopwatch()
    with bounded_memory(served.process), ThreadPoolExecutor(12) as pool:
        answers = pool.map(ask, REQUESTS.values())
        assert all(is_healthy(served) for _ in range(3))
        told = dict(zip(REQUESTS, answers, strict=True))
    assert {name: each for name, each in told.items() if not 400 <= each[0] < 500} == {}
    assert {name: each for name, each in told.items() if each[1] > 5000} == {}
    assert stopwatch() - began_at < 20
