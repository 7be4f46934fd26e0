"""The two ways of the demo: the 22 events over a server's API, or the story in this process.

The server's clock is manual, as of every server that one of our commands starts for itself: the
retry waits until all events were sent, and then needs no time. Each step of the story is one
transaction, which the library has and the API has not. The deliveries of a step are settled before
the next step begins.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leanbe_emitter.api_client import ApiClient
from leanbe_emitter.cli.demo.report import Attempt, Event, Report, Step
from leanbe_emitter.cli.demo.story import story
from leanbe_emitter.cli.invocation import output
from leanbe_emitter.server_process import ServerProcess
from leanbe_emitter.settings import Settings
from leanbe_emitter.storage.schema.states import Outcome
from leanbe_emitter.wire.durations import format_duration
from leanbe_emitter.wire.samples.sample_payloads import LIFECYCLE_ORDER

if TYPE_CHECKING:
    from leanbe_emitter.library import Leanbe, RecordedEvents

#: The demo's retry schedule: the delay in seconds, and the number of attempts.
RETRY_SECONDS, MAX_ATTEMPTS = 0.5, 3
ASSUMPTIONS = {"backoff": format_duration(RETRY_SECONDS), "max_attempts": str(MAX_ATTEMPTS)}


@dataclass(frozen=True, kw_only=True)
class Target:
    """The receiver of a demo.

    Attributes:
        verdicts: our receiver's verdicts on the requests that reached it, in order; None for a
            receiver that is not ours.
    """

    url: str
    secret: str = field(repr=False)
    verdicts: Iterator[bool] | None

    def attempt(self, document: Mapping[str, Any], *, event: str) -> Attempt:
        """Return the next attempt, from its document; attempts come in the order of sending."""
        status = None if document["answer"] is None else document["answer"]["status"]
        words = None if status is None else output.format_status(status)
        is_accepted = document["outcome"] == Outcome.DELIVERED
        return Attempt(
            event=event,
            number=document["number"],
            status=status,
            answer=words or document["error"] or document["outcome"],
            is_accepted=is_accepted,
            is_verified=self._verdict(is_answered=status is not None),
            latency_ms=document["durationMs"],
            next="" if is_accepted else _next_step(document["number"]),
        )

    def _verdict(self, *, is_answered: bool) -> bool | None:
        if self.verdicts is None:
            return None
        # Our receiver reports a request before it answers it: the verdict is there already.
        return is_answered and next(self.verdicts, False)


def _next_step(number: int) -> str:
    """Say what follows an attempt of this number that was not accepted."""
    return "given up" if number >= MAX_ATTEMPTS else f"again in {format_duration(RETRY_SECONDS)}"


def send_all_events(
    server: ServerProcess, target: Target, *, show: Callable[[Attempt], None]
) -> Report:
    """Let a new server with a manual clock send all 22 events, and retry until all are settled.

    Args:
        server: has no product yet.
        target: the receiver.
        show: called with each attempt at once.

    Raises:
        InvalidValue: the server refuses the URL or the secret.
        ServerUnavailable: the server does not answer any more.
    """
    events = {name: Event(name=name) for name in LIFECYCLE_ORDER}
    for document in _attempts(server, target):
        event = events[document["event"]]
        event.attempts.append(target.attempt(document, event=event.name))
        show(event.attempts[-1])
    return Report(url=target.url, events=list(events.values()))


def _attempts(server: ServerProcess, target: Target) -> Iterator[Mapping[str, Any]]:
    """Yield the documents of the attempts in order, each with the name of its event."""
    with ApiClient(server.url, token=server.token) as api:
        webhook = {"url": target.url, "secret": target.secret}
        api.post("/products", {"name": "Acme", "webhook": webhook, "assumptions": ASSUMPTIONS})
        last_delivery: dict[str, str] = {}
        for name in LIFECYCLE_ORDER:
            resource, _, _ = name.partition(".")
            event = {"event": name, "sameAs": last_delivery.get(resource)}
            triggered = api.post("/products/Acme/events", event)
            last_delivery[resource] = triggered["delivery"]["_id"]
            (delivery,) = api.post("/deliveries/wait", {"after": api.cursor})["items"]
            (attempt,) = delivery["attempts"]
            yield {**attempt, "event": name}
        yield from api.post("/clock/run-until-settled", {})["attempts"]


def play_story(
    target: Target, *, database: Path, settings: Settings, show: Callable[[Step], None]
) -> Report:
    """Play the story step by step, until nobody answers or the first event is refused.

    Args:
        target: the receiver.
        database: a file that does not exist yet.
        settings: limits and allowed targets.
        show: called with each step when its deliveries are settled.
    """
    from leanbe_emitter.library import Leanbe  # noqa: PLC0415 - loads SQLAlchemy

    report = Report(url=target.url)
    with Leanbe(f"sqlite:///{database}", settings=settings) as leanbe:
        acme = leanbe.products.create(
            "Acme", webhook_url=target.url, secret=target.secret, assume=ASSUMPTIONS
        )
        for step in _steps(leanbe, story(acme), target):
            report.add_step(step)
            show(step)
            if report.reason_to_stop:
                break
    return report


def _steps(leanbe: "Leanbe", actions: Iterator[str], target: Target) -> Iterator[Step]:
    number, action = 1, next(actions, None)
    while action is not None:
        with leanbe.foreground() as recorded:
            # The action takes place on the way to the next one's words.
            following = next(actions, None)
        leanbe.follow(recorded.deliveries)
        yield Step(number=number, action=action, events=_events(leanbe, recorded, target))
        number, action = number + 1, following


def _events(leanbe: "Leanbe", recorded: "RecordedEvents", target: Target) -> list[Event]:
    events = [Event(name=each.name) for each in recorded.recorded]
    sent = [
        (attempt, event)
        for each, event in zip(recorded.recorded, events, strict=True)
        if each.delivery_id is not None
        for attempt in leanbe.deliveries.get(each.delivery_id).attempts
    ]
    for attempt, event in sorted(sent, key=lambda pair: pair[0].started_at):
        event.attempts.append(target.attempt(attempt.document(), event=event.name))
    return events
