"""A client of leanbe-emitter's API for test suites, with Python's standard library only.

    from emitter import advance, arm_fault, create_product, reset, trigger, wait

`leanbe-emitter exec -- pytest` starts a server for the suite and names it in the environment. A
suite whose receiver runs in the same process needs no server: see leanbe-emitter's fixtures.
"""

import json
import os
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import ProxyHandler, Request, build_opener

URL = os.environ.get("LEANBE_EMITTER_URL", "http://127.0.0.1:5326")
TOKEN = os.environ.get("LEANBE_EMITTER_TOKEN")
_OPENER = build_opener(ProxyHandler({}))


class Call(NamedTuple):
    """An answer: a document, and the place in the server's journal before the call's effects."""

    document: Any
    cursor: str


def reset() -> None:
    """Delete everything. The clock keeps its time."""
    post("reset", {})


def create_product(name: str, url: str, secret: str, **assumptions: str) -> None:
    """Create a product that sends its events to a URL; an assumption is ``timeout="3s"``."""
    webhook = {"url": url, "secret": secret}
    post("products", {"name": name, "webhook": webhook, "assumptions": assumptions})


def trigger(product: str, event: str, **values: Any) -> Call:
    """Raise one event with sample data and the values that matter: ``title="Dark mode"``."""
    return post(f"products/{quote(product, safe='')}/events", {"event": event, "set": values})


def wait(call: Call) -> list[dict[str, Any]]:
    """Wait until all that a call brought about was attempted; return deliveries, oldest first."""
    items: list[dict[str, Any]] = post("deliveries/wait", {"after": call.cursor}).document["items"]
    return items[::-1]


def advance(seconds: float) -> None:
    """Move the clock: retries that fall due on the way happen."""
    post("clock/advance", {"seconds": seconds})


def arm_fault(kind: str, **more: Any) -> None:
    """Arm a fault for the next delivery; ``more`` may have how, times, event and product."""
    post("faults", {"kind": kind, **more})


def post(path: str, body: dict[str, Any]) -> Call:
    """Post a body to a path below ``/api/v1/``.

    Raises:
        RuntimeError: the server refuses it; the message is its reason.
    """
    headers = {"Content-Type": "application/json"}
    if TOKEN:
        headers["Authorization"] = f"Bearer {TOKEN}"
    request = Request(f"{URL}/api/v1/{path}", json.dumps(body).encode(), headers)
    try:
        with _OPENER.open(request, timeout=60) as answer:
            text = answer.read()
            return Call(json.loads(text) if text else None, answer.headers["Leanbe-Emitter-Cursor"])
    except HTTPError as error:
        problem = json.loads(error.read())
        raise RuntimeError(f"{path}: {problem['detail']} {problem.get('hint') or ''}") from None
