"""The engine's inner parts, driven alone: the one file here that knows how they are called."""

from collections.abc import Awaitable, Callable

from leanbe_emitter.clock import SystemClock, to_milliseconds
from leanbe_emitter.delivery.in_process.asgi import AsgiTransport
from leanbe_emitter.delivery.in_process.lifespan import AsgiApp
from leanbe_emitter.delivery.network.http1 import Http1Transport
from leanbe_emitter.delivery.network.transport import (
    Answer,
    OutgoingRequest,
    Transport,
    compose_headers,
)
from leanbe_emitter.delivery.queue.fairness import Room
from leanbe_emitter.delivery.queue.queue import Queue
from leanbe_emitter.delivery.queue_types import Claimed, Evidence, Settlement
from leanbe_emitter.ids import Ids
from leanbe_emitter.settings import Settings
from leanbe_emitter.storage.engine.database import Database
from leanbe_emitter.storage.schema.states import DeliveryState, Outcome
from leanbe_emitter.target_rules import TargetRules

__all__ = [
    "AcceptingTransport",
    "Database",
    "asgi_transport",
    "claim",
    "default_concurrency",
    "our_sender",
    "queue_of",
    "settle",
]

Send = Callable[[bytes], Awaitable[int]]


def our_sender(url: str) -> Send:
    """Return our sender alone: a body in, a status out."""
    transport = Http1Transport(rules=TargetRules())

    async def send(body: bytes) -> int:
        headers = compose_headers(url, content_length=len(body))
        request = OutgoingRequest(method="POST", url=url, headers=headers, body=body)
        return (await transport.send(request)).status

    return send


class AcceptingTransport:
    """A receiver without a network: every request is accepted at once."""

    async def send(self, request: OutgoingRequest) -> Answer:
        """Answer 204."""
        del request
        return Answer(status=204, reason="No Content")

    async def aclose(self) -> None:
        """Do nothing: there is no connection."""


def asgi_transport(app: AsgiApp) -> Transport:
    """Return what calls an ASGI app in this process."""
    return AsgiTransport(app, lifespan=False)


def queue_of(database: Database) -> Queue:
    """Return the queue of a database, with a lease that outlasts every measurement."""
    clock, ids = SystemClock(), Ids()
    return Queue(database, clock=clock, ids=ids, lease_seconds=600)


def claim(queue: Queue, count: int, *, per_product: int | None = None) -> list[Claimed]:
    """Claim so many deliveries that are due."""
    limit = count if per_product is None else per_product
    return queue.claim(Room(total=count, held={}, per_product=limit))


def settle(queue: Queue, claimed: list[Claimed]) -> None:
    """Settle what was claimed as accepted, with the evidence that such an attempt leaves."""
    now = to_milliseconds(SystemClock().now())
    queue.settle([_accepted(each, now) for each in claimed])


def default_concurrency() -> int:
    """Return how many attempts a worker has in flight by default."""
    return Settings().concurrency


def _accepted(claimed: Claimed, now: int) -> Settlement:
    url = claimed.webhook.url or ""
    return claimed.settlement(
        state=DeliveryState.DELIVERED,
        due_at=now,
        evidence=Evidence(
            outcome=Outcome.DELIVERED,
            started_at=now,
            duration_us=800,
            url=url,
            request_headers=compose_headers(url, content_length=len(claimed.body)),
            answer_status=204,
            answer_headers=(),
            answer_body=b"",
        ),
    )
