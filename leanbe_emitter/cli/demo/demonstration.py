"""What ``demo`` does over a server's API: a product, the 22 events, one retry, and their answers.

The server's clock is manual, as that of every ephemeral database: the retry waits until all events
were sent, and then takes no time.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from leanbe_emitter.cli.demo.api_client import Api, calling
from leanbe_emitter.cli.demo.article_formula import NOT_ASKED, Judgement
from leanbe_emitter.cli.invocation import output
from leanbe_emitter.cli.invocation.output import Document
from leanbe_emitter.processes import ServerProcess
from leanbe_emitter.storage.schema.states import Outcome
from leanbe_emitter.wire.durations import format_duration
from leanbe_emitter.wire.samples.story import STORY_ORDER

#: How soon a failed delivery of the demo is tried again, in seconds, and how often.
RETRY_SECONDS, MAX_ATTEMPTS = 0.5, 3
ASSUME = {"backoff": format_duration(RETRY_SECONDS), "max_attempts": str(MAX_ATTEMPTS)}


@dataclass(frozen=True, kw_only=True)
class Made:
    """One attempt of the demo.

    Attributes:
        delivery_id: whose attempt it is.
        status: of the answer; None where there was none.
        answer: in words; where there was none, what went wrong.
        is_verified: what the receiver said of it; None where the receiver is not ours.
        next: what comes after it, in words; empty where nothing does.
    """

    delivery_id: str
    event: str
    number: int
    status: int | None
    answer: str
    is_accepted: bool
    is_verified: bool | None
    latency_ms: float
    next: str

    @property
    def is_good(self) -> bool:
        """Whether it was accepted, and verified where that can be known."""
        return self.is_accepted and self.is_verified is not False

    @property
    def verdict(self) -> str:
        """The receiver's verdict in a word."""
        if self.is_verified is None:
            return "accepted" if self.is_accepted else "not accepted"
        return "verified" if self.is_verified else "NOT VERIFIED"

    def document(self) -> Document:
        """Return the attempt as JSON."""
        return {
            "event": self.event,
            "attempt": self.number,
            "answer": self.answer,
            "verified": self.is_verified,
            "latencyMs": round(self.latency_ms, 1),
            "next": self.next,
        }


@dataclass(kw_only=True)
class Report:
    """What the demo came to."""

    url: str
    made: list[Made] = field(default_factory=list)
    node: Judgement = NOT_ASKED

    @property
    def good(self) -> set[str]:
        """The events that were accepted in the end, and verified where that can be known."""
        return {each.event for each in self.made if each.is_good}

    @property
    def is_success(self) -> bool:
        """Whether every event came through, and Node agreed where it was asked."""
        return self.node.agrees and self.good == set(STORY_ORDER)

    @property
    def summary(self) -> str:
        """The last line."""
        is_ours = all(each.is_verified is not None for each in self.made)
        what = "verified by the receiver" if is_ours else f"accepted by {self.url}"
        return f"{len(self.good)} of {len(STORY_ORDER)} {what}"

    @property
    def reason(self) -> str:
        """Why it is no success, in words."""
        missing = [name for name in STORY_ORDER if name not in self.good]
        if not missing:
            return self.node.remark
        return f"Not accepted, or not verified: {', '.join(missing)}."

    def document(self) -> Document:
        """Return the whole report as JSON."""
        return {
            "url": self.url,
            "attempts": [each.document() for each in self.made],
            "accepted": len(self.good),
            "events": len(STORY_ORDER),
            "node": self.node.remark or None,
        }


@dataclass(frozen=True, kw_only=True)
class Hook:
    """Where it is sent.

    Attributes:
        url: the receiver.
        secret: what it verifies with.
        verdicts: what the receiver says of each request that reached it, in order; None where it
            tells nobody.
    """

    url: str
    secret: str = field(repr=False)
    verdicts: Iterator[bool] | None

    def verdict(self, *, is_answered: bool) -> bool | None:
        """Return what the receiver said of the next request; None where it tells nobody."""
        if self.verdicts is None:
            return None
        # Our receiver reports a request before it answers it: the verdict is there already.
        return is_answered and next(self.verdicts, False)


def demonstrate(server: ServerProcess, hook: Hook, *, show: Callable[[Made], None]) -> Report:
    """Have a server raise all 22 events, and retry what was not accepted until it is settled.

    Args:
        server: has nothing yet, and a manual clock.
        hook: where it is sent.
        show: is given each attempt as soon as it is known.

    Raises:
        InvalidValue: the server refuses the URL or the secret.
        ServerUnavailable: it does not answer any more.
    """
    report = Report(url=hook.url)
    with calling(server.url, token=server.token) as api:
        for attempt in _attempts(api, hook):
            made = _made(attempt, hook)
            report.made.append(made)
            show(made)
    return report


def _attempts(api: Api, hook: Hook) -> Iterator[Mapping[str, Any]]:
    """Yield the attempts, in their order, each as the API tells of it."""
    webhook = {"url": hook.url, "secret": hook.secret}
    api.post("/products", {"name": "Acme", "webhook": webhook, "assumptions": ASSUME})
    documents: dict[str, str] = {}
    for name in STORY_ORDER:
        resource, _, _ = name.partition(".")
        event = {"event": name, "sameAs": documents.get(resource)}
        documents[resource] = api.post("/products/Acme/events", event)["delivery"]["_id"]
        (delivery,) = api.post("/deliveries/wait", {"after": api.cursor})["items"]
        (attempt,) = delivery["attempts"]
        yield {**attempt, "delivery": delivery["_id"], "event": name}
    yield from api.post("/clock/run-until-settled", {})["attempts"]


def _made(attempt: Mapping[str, Any], hook: Hook) -> Made:
    status = None if attempt["answer"] is None else attempt["answer"]["status"]
    is_accepted = attempt["outcome"] == Outcome.DELIVERED
    return Made(
        delivery_id=attempt["delivery"],
        event=attempt["event"],
        number=attempt["number"],
        status=status,
        answer=in_words(status) or attempt["error"] or attempt["outcome"],
        is_accepted=is_accepted,
        is_verified=hook.verdict(is_answered=status is not None),
        latency_ms=attempt["durationMs"],
        next="" if is_accepted else next_in_words(attempt["number"]),
    )


def in_words(status: int | None) -> str:
    """Return an answer's status with its phrase; nothing where there was no answer."""
    return "" if status is None else output.format_status(status)


def next_in_words(number: int) -> str:
    """Say what comes after an attempt of that number that was not accepted."""
    if number >= MAX_ATTEMPTS:
        return "given up"
    return f"again in {format_duration(RETRY_SECONDS)}"
