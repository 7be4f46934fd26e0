"""What ``demo --story`` does: each step of the story, the events it raised, and their answers.

Each step is one transaction, which is what the library has, and the API has not: so it acts in this
process. Its deliveries are followed until they are settled before the next step begins, so that
what is told is in the order in which it happened. Where nobody answers, or all is refused from the
very first event on, each step would wait in vain, and so none follows.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from leanbe_emitter.cli.demo.article_formula import NOT_ASKED, Judgement
from leanbe_emitter.cli.demo.demonstration import ASSUME, Hook, Made, in_words, next_in_words
from leanbe_emitter.cli.demo.story import story
from leanbe_emitter.cli.invocation.output import Document
from leanbe_emitter.delivery.claims import Claimed, Settlement
from leanbe_emitter.library import Leanbe, Product, RecordedEvents
from leanbe_emitter.settings import Settings
from leanbe_emitter.storage.schema.states import Outcome
from leanbe_emitter.wire.samples.sample_payloads import LIFECYCLE_ORDER


@dataclass(frozen=True, kw_only=True)
class Told:
    """One event of a step, and what came of its delivery."""

    event: str
    attempts: tuple[Made, ...]

    @property
    def is_good(self) -> bool:
        """Whether it was accepted in the end, and verified where that can be known."""
        return any(each.is_good for each in self.attempts)

    @property
    def is_unanswered(self) -> bool:
        """Whether it was sent, and no attempt of it was answered."""
        return bool(self.attempts) and all(each.status is None for each in self.attempts)

    @property
    def is_refused(self) -> bool:
        """Whether it was answered, and no attempt of it was accepted."""
        has_answer = bool(self.attempts) and not self.is_unanswered
        return has_answer and not any(each.is_accepted for each in self.attempts)

    @property
    def answers(self) -> str:
        """What its attempts were answered, in order: ``503, 204``."""
        return ", ".join(str(each.status or each.answer) for each in self.attempts)

    @property
    def verdict(self) -> str:
        """The receiver's last verdict in a word."""
        return self.attempts[-1].verdict if self.attempts else "NOT SENT"

    def document(self) -> Document:
        """Return the event as JSON."""
        return {"event": self.event, "attempts": [each.document() for each in self.attempts]}


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of the story: what happened, in words, and the events of it."""

    number: int
    words: str
    events: tuple[Told, ...]

    def document(self) -> Document:
        """Return the step as JSON."""
        events = [each.document() for each in self.events]
        return {"step": self.number, "action": self.words, "events": events}


@dataclass(kw_only=True)
class StoryReport:
    """What the story came to."""

    url: str
    steps: list[Step] = field(default_factory=list)
    node: Judgement = NOT_ASKED

    @property
    def events(self) -> list[Told]:
        """All events, in their order."""
        return [event for step in self.steps for event in step.events]

    @property
    def unanswered(self) -> Told | None:
        """The first event that nobody answered: the story ends with it."""
        return next((event for event in self.events if event.is_unanswered), None)

    @property
    def refused(self) -> Told | None:
        """The very first event, if it was refused: the story ends with that, too."""
        return next((event for event in self.events[:1] if event.is_refused), None)

    @property
    def good(self) -> int:
        """How many events came through."""
        return sum(event.is_good for event in self.events)

    @property
    def missing(self) -> list[str]:
        """Those of the 22 events that did not occur."""
        occurred = {event.event for event in self.events}
        return [name for name in LIFECYCLE_ORDER if name not in occurred]

    @property
    def is_success(self) -> bool:
        """Whether all 22 occurred and came through, and Node agreed where it was asked."""
        return self.node.agrees and not self.missing and self.good == len(self.events)

    @property
    def summary(self) -> str:
        """The last line."""
        made = [attempt for event in self.events for attempt in event.attempts]
        is_ours = all(each.is_verified is not None for each in made)
        what = "verified by the receiver" if is_ours else f"accepted by {self.url}"
        return f"{self.good} of {len(self.events)} {what}"

    @property
    def reason(self) -> str:
        """Why it is no success, in words."""
        if self.unanswered:
            return (
                f"Nobody answered {self.unanswered.event}: {self.unanswered.attempts[-1].answer}.\n"
                f"The story ends there, with step {self.steps[-1].number}.\n"
                "See that a receiver listens at that URL; without --to the demo brings one."
            )
        if self.refused:
            return (
                f"The receiver refused {self.refused.event}, the first of all: "
                f"{self.refused.attempts[-1].answer}.\n"
                f"The story ends there, with step {self.steps[-1].number}.\n"
                "See that it takes what is posted to that URL, and verifies with that very secret."
            )
        bad = dict.fromkeys(event.event for event in self.events if not event.is_good)
        if bad:
            return f"Not accepted, or not verified: {', '.join(bad)}."
        if self.missing:
            return f"These events did not occur: {', '.join(self.missing)}."
        return self.node.remark

    def document(self) -> Document:
        """Return the whole report as JSON."""
        return {
            "url": self.url,
            "steps": [each.document() for each in self.steps],
            "accepted": self.good,
            "events": len(self.events),
            "node": self.node.remark or None,
        }


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Where it happens.

    Attributes:
        hook: where it is sent.
        database: a file that is not there yet.
        settings: limits and allowed targets.
    """

    hook: Hook
    database: Path
    settings: Settings

    @contextmanager
    def opened(self) -> Iterator[tuple[Leanbe, Product]]:
        """Open the database, with one product whose webhook is the receiver."""
        with Leanbe(f"sqlite:///{self.database}", settings=self.settings) as leanbe:
            acme = leanbe.products.create(
                "Acme", webhook_url=self.hook.url, secret=self.hook.secret, assume=ASSUME
            )
            yield leanbe, acme


def tell(stage: Stage, *, show: Callable[[Step], None]) -> StoryReport:
    """Let the story happen, step by step, for as long as somebody answers and does not refuse all.

    Args:
        stage: where it happens.
        show: is given each step as soon as its deliveries are settled.
    """
    report = StoryReport(url=stage.hook.url)
    with stage.opened() as (leanbe, acme):
        for step in _steps(leanbe, story(acme), stage.hook):
            report.steps.append(step)
            show(step)
            if report.unanswered or report.refused:
                break
    return report


def _steps(leanbe: Leanbe, told: Iterator[str], hook: Hook) -> Iterator[Step]:
    number, words = 1, next(told, None)
    while words is not None:
        made: list[Made] = []
        watching = _Watching(hook, made.append)
        with leanbe.foreground(watching) as raised:
            # What the words said happens on the way to the next ones.
            following = next(told, None)
        leanbe.follow(raised.deliveries, watcher=watching)
        yield Step(number=number, words=words, events=_events(raised, made))
        number, words = number + 1, following


def _events(raised: RecordedEvents, made: list[Made]) -> tuple[Told, ...]:
    return tuple(
        Told(
            event=recorded.name,
            attempts=tuple(each for each in made if each.delivery_id == recorded.delivery_id),
        )
        for recorded in raised.recorded
    )


class _Watching:
    """The watcher that turns attempts into what is shown of them, with the receiver's verdict."""

    def __init__(self, hook: Hook, keep: Callable[[Made], None]) -> None:
        self._hook = hook
        self._keep = keep

    def begun(self, claimed: Claimed) -> None:
        """Wait for the end of it."""

    def ended(self, claimed: Claimed, settlement: Settlement) -> None:
        """Hand the attempt on."""
        evidence = settlement.evidence
        is_accepted = evidence.outcome is Outcome.DELIVERED
        status = evidence.answer_status
        made = Made(
            delivery_id=claimed.delivery_id,
            event=claimed.event_name,
            number=claimed.number,
            status=status,
            answer=in_words(status) or evidence.error or evidence.outcome,
            is_accepted=is_accepted,
            is_verified=self._hook.verdict(is_answered=status is not None),
            latency_ms=evidence.duration_us / 1000,
            next="" if is_accepted else next_in_words(claimed.number),
        )
        self._keep(made)
