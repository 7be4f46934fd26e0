"""What ``demo`` does: a product, the 22 events, one retry, and what the receiver said of them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

from leanbe_emitter.cli.article_formula import Judgement
from leanbe_emitter.cli.output import Document
from leanbe_emitter.delivery.claims import Claimed, Settlement
from leanbe_emitter.emitter import Leanbe, Product, Wanted
from leanbe_emitter.settings import Settings
from leanbe_emitter.storage.states import DeliveryState, Outcome
from leanbe_emitter.wire.durations import format_duration
from leanbe_emitter.wire.samples import STORY_ORDER

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
    node: Judgement | None = None

    @property
    def good(self) -> set[str]:
        """The events that were accepted in the end, and verified where that can be known."""
        return {each.event for each in self.made if each.is_good}

    @property
    def is_success(self) -> bool:
        """Whether every event came through, and Node agreed where it was asked."""
        agreed = self.node is None or self.node.agrees
        return agreed and self.good == set(STORY_ORDER)

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
            return self.remark_of_node
        return f"Not accepted, or not verified: {', '.join(missing)}."

    @property
    def remark_of_node(self) -> str:
        """What Node.js found, in a sentence."""
        return "" if self.node is None else self.node.remark

    def document(self) -> Document:
        """Return the whole report as JSON."""
        return {
            "url": self.url,
            "attempts": [each.document() for each in self.made],
            "accepted": len(self.good),
            "events": len(STORY_ORDER),
            "node": None if self.node is None else self.node.remark,
        }


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Where it happens.

    Attributes:
        url: the receiver.
        secret: what it verifies with.
        database: a file that is not there yet.
        settings: limits and allowed targets.
        verdicts: what the receiver says of each request that reached it, in order; None where it
            tells nobody.
    """

    url: str
    secret: str = field(repr=False)
    database: Path
    settings: Settings
    verdicts: Iterator[bool] | None

    @contextmanager
    def opened(self) -> Iterator[tuple[Leanbe, Product]]:
        """Open the database, with one product whose webhook is the receiver."""
        with Leanbe(f"sqlite:///{self.database}", settings=self.settings) as leanbe:
            acme = leanbe.products.create(
                "Acme", webhook_url=self.url, secret=self.secret, assume=ASSUME
            )
            yield leanbe, acme


def demonstrate(stage: Stage, *, show: Callable[[Made], None]) -> Report:
    """Trigger all 22 events and follow each until it is settled.

    Args:
        stage: where it happens.
        show: is given each attempt as soon as it is made.
    """
    report = Report(url=stage.url)

    def keep(made: Made) -> None:
        report.made.append(made)
        show(made)

    watcher = Watching(stage.verdicts, keep)
    with stage.opened() as (leanbe, _):
        triggered = leanbe.trigger_all(Wanted(events=STORY_ORDER), watcher=watcher)
        owed = [each.delivery for each in triggered if each.delivery is not None]
        leanbe.follow(owed, watcher=watcher)
    return report


class Watching:
    """The watcher that turns attempts into what is shown of them, with the receiver's verdict.

    Args:
        verdicts: what the receiver says of each request that reached it, in order; None where it
            tells nobody.
        keep: is given each attempt as soon as it is made.
    """

    def __init__(self, verdicts: Iterator[bool] | None, keep: Callable[[Made], None]) -> None:
        self._verdicts = verdicts
        self._keep = keep

    def begun(self, claimed: Claimed) -> None:
        """Wait for the end of it."""

    def ended(self, claimed: Claimed, settlement: Settlement) -> None:
        """Hand the attempt on."""
        made = Made(
            delivery_id=claimed.delivery_id,
            event=claimed.event_name,
            number=claimed.number,
            status=settlement.evidence.answer_status,
            answer=_answer(settlement),
            is_accepted=settlement.evidence.outcome is Outcome.DELIVERED,
            is_verified=self._verdict(settlement),
            latency_ms=settlement.evidence.duration_us / 1000,
            next=_next(settlement),
        )
        self._keep(made)

    def _verdict(self, settlement: Settlement) -> bool | None:
        if self._verdicts is None:
            return None
        if settlement.evidence.answer_status is None:
            return False
        # Our receiver reports a request before it answers it: the verdict is there already.
        return next(self._verdicts, False)


def _answer(settlement: Settlement) -> str:
    status = settlement.evidence.answer_status
    if status is None:
        return settlement.evidence.error or settlement.evidence.outcome
    phrase = next((each.phrase for each in HTTPStatus if each == status), "")
    return f"{status} {phrase}".rstrip()


def _next(settlement: Settlement) -> str:
    match settlement.state:
        case DeliveryState.WAITING:
            return f"again in {format_duration(RETRY_SECONDS)}"
        case DeliveryState.EXHAUSTED:
            return "given up"
        case _:
            return ""
