"""A process that has Leanbe embedded: it triggers events to what receives them in this process."""

from collections.abc import Callable
from typing import Any

from benchmarks import engine
from benchmarks.processes import options, say, wait_for_word
from leanbe_emitter import Leanbe, TriggerRequest
from leanbe_emitter.clock import stopwatch

_EVENT = "idea.created"
_WARM_UP_EVENTS = 20


async def _app(_scope: Any, receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
    """Be an ASGI app that reads the request and says 204."""
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def _trigger(*, db: str, events: int, receiver: str) -> None:
    """Trigger events one after the other; tell how many milliseconds each took, with its commit."""
    transport = {
        "app": lambda: engine.asgi_transport(_app),
        "function": engine.AcceptingTransport,
        "nobody": engine.AcceptingTransport,
    }[receiver]()
    with Leanbe(db, transport=transport) as leanbe:
        leanbe.products.create("Acme", webhook_url="http://receiver.example/")
        once = _recorder(leanbe) if receiver == "nobody" else _deliverer(leanbe)
        for _ in range(_WARM_UP_EVENTS):
            once()
        say(ready=True)
        wait_for_word()
        times = []
        for _ in range(events):
            started = stopwatch()
            once()
            times.append((stopwatch() - started) * 1000)
        say(milliseconds=times)


def _recorder(leanbe: Leanbe) -> Callable[[], None]:
    """Return what records an event and commits, and leaves the attempt to others."""

    def record() -> None:
        leanbe.trigger_all(TriggerRequest(events=[_EVENT]), deliver=False)

    return record


def _deliverer(leanbe: Leanbe) -> Callable[[], None]:
    """Return what records an event, commits, delivers and settles it."""

    def deliver() -> None:
        if not leanbe.trigger(_EVENT).delivered:
            raise RuntimeError("An event was not delivered.")

    return deliver


if __name__ == "__main__":
    _trigger(**options())
