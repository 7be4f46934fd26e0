"""The report of a demo: events with their attempts, in the story by step, and the result."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from leanbe_emitter.cli.demo.article_formula import NOT_RUN, NodeCheck
from leanbe_emitter.cli.invocation.output import Document
from leanbe_emitter.wire.samples.sample_payloads import LIFECYCLE_ORDER


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One attempt of an event's delivery.

    Attributes:
        status: the status of the answer; None without an answer.
        answer: the status in words; without an answer, the error.
        is_verified: the receiver's verdict; None for a receiver that is not ours.
        next: what follows, in words; empty after an accepted attempt.
    """

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
        """Whether the receiver accepted it, and verified it as far as we know."""
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


@dataclass(frozen=True, kw_only=True)
class Event:
    """One event, and the attempts of its delivery in order."""

    name: str
    attempts: list[Attempt] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Whether one of its attempts is good."""
        return any(each.is_good for each in self.attempts)

    @property
    def is_unanswered(self) -> bool:
        """Whether it was sent, and none of its attempts was answered."""
        return bool(self.attempts) and all(each.status is None for each in self.attempts)

    @property
    def is_refused(self) -> bool:
        """Whether an attempt was answered, and none was accepted."""
        is_answered = any(each.status is not None for each in self.attempts)
        return is_answered and not any(each.is_accepted for each in self.attempts)

    @property
    def answers(self) -> str:
        """The answers to its attempts: ``503, 204``."""
        return ", ".join(str(each.status or each.answer) for each in self.attempts)

    @property
    def verdict(self) -> str:
        """The receiver's last verdict in a word."""
        return self.attempts[-1].verdict if self.attempts else "NOT SENT"

    def document(self) -> Document:
        """Return the event as JSON."""
        return {"event": self.name, "attempts": [each.document() for each in self.attempts]}


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of the story: an action in words, and its events."""

    number: int
    action: str
    events: Sequence[Event]

    def document(self) -> Document:
        """Return the step as JSON."""
        events = [each.document() for each in self.events]
        return {"step": self.number, "action": self.action, "events": events}


@dataclass(kw_only=True)
class Report:
    """All events of a demo; ``steps`` is empty where it tells no story."""

    url: str
    events: list[Event] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    node: NodeCheck = NOT_RUN

    def add_step(self, step: Step) -> None:
        """Add a step of the story, with its events."""
        self.steps.append(step)
        self.events.extend(step.events)

    @property
    def attempts(self) -> list[Attempt]:
        """All attempts: the first attempt of each event, then the second ones, and so on."""
        attempts = [attempt for event in self.events for attempt in event.attempts]
        return sorted(attempts, key=lambda attempt: attempt.number)

    @property
    def accepted(self) -> int:
        """Number of events that the receiver accepted, and verified as far as we know."""
        return sum(event.is_good for event in self.events)

    @property
    def missing(self) -> list[str]:
        """Those of the 22 events that did not occur."""
        occurred = {event.name for event in self.events}
        return [name for name in LIFECYCLE_ORDER if name not in occurred]

    @property
    def reason_to_stop(self) -> str:
        """Why a story must not go on: nobody answers, or the first event was refused; or empty."""
        unanswered = next((event for event in self.events if event.is_unanswered), None)
        if unanswered is not None:
            return (
                f"Nobody answered {unanswered.name}: {unanswered.attempts[-1].answer}.\n"
                f"The story ends there, with step {self.steps[-1].number}.\n"
                "Check that a receiver listens at that URL; without --to, the demo starts one."
            )
        if self.events and self.events[0].is_refused:
            return (
                f"The receiver refused the first event, {self.events[0].name}: "
                f"{self.events[0].attempts[-1].answer}.\n"
                f"The story ends there, with step {self.steps[-1].number}.\n"
                "Check that the receiver accepts POST at that URL, and verifies with that secret."
            )
        return ""

    @property
    def is_success(self) -> bool:
        """Whether all 22 events occurred, all are good, and Node.js agrees if it is installed."""
        return self.node.agrees and not self.missing and self.accepted == len(self.events)

    @property
    def summary(self) -> str:
        """The last line of the output."""
        is_ours = all(each.is_verified is not None for each in self.attempts)
        what = "verified by the receiver" if is_ours else f"accepted by {self.url}"
        return f"{self.accepted} of {len(self.events)} {what}"

    @property
    def reason(self) -> str:
        """Why the demo failed, in words."""
        if self.steps and self.reason_to_stop:
            return self.reason_to_stop
        failed = dict.fromkeys(event.name for event in self.events if not event.is_good)
        if failed:
            return f"Not accepted, or not verified: {', '.join(failed)}."
        if self.missing:
            return f"These events did not occur: {', '.join(self.missing)}."
        return self.node.remark

    def document(self) -> Document:
        """Return the report as JSON."""
        key, parts = ("steps", self.steps) if self.steps else ("attempts", self.attempts)
        return {
            "url": self.url,
            key: [each.document() for each in parts],
            "accepted": self.accepted,
            "events": len(self.events),
            "node": self.node.remark or None,
        }
