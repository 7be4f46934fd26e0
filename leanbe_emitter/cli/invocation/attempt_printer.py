"""The printed lines of an attempt, the same in every command: one out, one back.

    14:02:15 -> idea.upVoted   …a2e4b7  attempt 1  POST http://127.0.0.1:8000/hooks/leanbe  911 B
    14:02:15 <- 401 Unauthorized          3 ms   {"detail":"bad signature"}
                refused; next attempt 14:02:20 by any worker, or --follow. ...

The third line follows an attempt that was not accepted. ``plain`` separates the cells of the first
two lines by tabs, prints whole ids, and prints the third line on stderr. ``json`` and ``jsonl``
print a document for each attempt.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from leanbe_emitter.cli.invocation import output
from leanbe_emitter.cli.invocation.output import Document, OutputFormat
from leanbe_emitter.storage.schema.states import DeliveryStatus, Outcome
from leanbe_emitter.wire.assumptions.parsing import parse_assumptions
from leanbe_emitter.wire.explain.assumption_mistakes import assumptions_note

#: How many characters of an answer's body a line shows.
_MAX_SHOWN = 120
_INDENT = " " * len("14:02:11 -> ")
#: Answers with which receivers refuse a signature.
_ABOUT_SIGNATURES = frozenset({400, 401, 403})
_SIGNATURE_ADVICE = (
    "Leanbe signs JSON.stringify(payload), not the raw body: leanbe-emitter explain --help"
)


@dataclass(frozen=True, kw_only=True)
class StartedAttempt:
    """An attempt whose request goes out; the id is empty if nothing is stored."""

    delivery_id: str
    event: str
    number: int
    started_at: datetime
    method: str
    url: str
    body_bytes: int


@dataclass(frozen=True, kw_only=True)
class EndedAttempt:
    """An attempt and its result.

    Attributes:
        begun: its request.
        status: the status of the delivery now.
        next_due_at: when the delivery is due again; None if it is settled, or if the next attempt
            has begun.
        assumptions: the assumptions of this attempt that differ from their defaults.
        fault: the fault of this attempt, if it had one.
    """

    begun: StartedAttempt
    outcome: Outcome
    duration_ms: float
    answer_status: int | None
    answer_body: bytes | None
    error: str | None
    status: DeliveryStatus
    next_due_at: datetime | None
    assumptions: dict[str, str] = field(default_factory=dict)
    fault: str | None = None

    @property
    def accepted(self) -> bool:
        """Whether the receiver accepted the event."""
        return self.outcome is Outcome.DELIVERED

    def document(self) -> Document:
        """Return the attempt as JSON; without a stored delivery, some members are null."""
        is_stored, due = bool(self.begun.delivery_id), self.next_due_at
        return {
            "delivery": self.begun.delivery_id or None,
            "event": self.begun.event,
            "number": self.begun.number,
            "outcome": self.outcome,
            "startedAt": output.format_instant(self.begun.started_at),
            "durationMs": round(self.duration_ms, 3),
            "method": self.begun.method,
            "url": self.begun.url,
            "bodyBytes": self.begun.body_bytes,
            "answerStatus": self.answer_status,
            "answerBody": _text(self.answer_body) if self.answer_body is not None else None,
            "error": self.error,
            "status": self.status if is_stored else None,
            "nextDueAt": output.format_instant(due) if is_stored and due else None,
            "assumptions": self.assumptions,
            "fault": self.fault,
        }


class AttemptPrinter:
    """Prints attempts while they are made, and counts them.

    A single attempt's line out is printed at once. If several attempts run at the same time, a line
    out waits for its line back, so that the two lines stand together.

    Args:
        output_format: the format of the output.
        notice: prints a remark that is no data.
        line: prints a line of data; by default on stdout.
        retried_by: the end of the sentence about a retry: `` by any worker, or --follow``. May be
            empty; None if nothing is stored and no retry follows.
    """

    def __init__(
        self,
        output_format: OutputFormat,
        *,
        notice: Callable[[str], None],
        line: Callable[[str], None] = output.print_text,
        retried_by: str | None = "",
    ) -> None:
        self._form = output_format
        self._notice = notice
        self._line = line
        self._retried_by = retried_by
        self._running: set[str] = set()
        self._printed: str | None = None
        self._documents: list[Document] = []
        self.made = 0
        self.accepted = 0

    def begun(self, begun: StartedAttempt) -> None:
        """Print the line out, unless other attempts are running."""
        if self.is_alone(begun.delivery_id):
            self.out(begun)

    def is_alone(self, delivery_id: str) -> bool:
        """Record that an attempt begins; return whether to print its line out at once."""
        self._running.add(delivery_id)
        return len(self._running) == 1 and self._form in {OutputFormat.TABLE, OutputFormat.PLAIN}

    def ended(self, ended: EndedAttempt) -> None:
        """Print the line back."""
        self.made += 1
        self.accepted += ended.accepted
        self._running.discard(ended.begun.delivery_id)
        match self._form:
            case OutputFormat.JSON:
                self._documents.append(ended.document())
            case OutputFormat.JSONL:
                self._line(output.json_line(ended.document()))
            case _:
                self._back(ended)

    def close(self) -> None:
        """Print the output that comes only at the end."""
        if self._form is OutputFormat.JSON:
            output.print_rows(self._form, self._documents, columns=[])

    def out(self, begun: StartedAttempt) -> None:
        """Print the line out of an attempt, in a table or in plain."""
        self._line(_table_out(begun) if self._form is OutputFormat.TABLE else _plain_out(begun))
        self._printed = begun.delivery_id

    def _back(self, ended: EndedAttempt) -> None:
        if self._printed != ended.begun.delivery_id:
            self.out(ended.begun)
        self._printed = None
        is_plain = self._form is OutputFormat.PLAIN
        self._line(_plain_back(ended) if is_plain else _table_back(ended))
        for remark in _remarks(ended, self._retried_by):
            if is_plain:
                self._notice(remark)
            else:
                self._line(_INDENT + remark)


def _table_out(begun: StartedAttempt) -> str:
    what = f"{output.printable(begun.event):<14} {output.abbreviated(begun.delivery_id):<7}"
    return (
        f"{output.format_time_of_day(begun.started_at)} -> {what}  "
        f"attempt {begun.number}  {begun.method} {begun.url}  {begun.body_bytes} B"
    )


def _plain_out(begun: StartedAttempt) -> str:
    return "\t".join(
        [
            output.format_time_of_day(begun.started_at),
            "->",
            output.printable(begun.event),
            begun.delivery_id,
            f"attempt {begun.number}",
            begun.method,
            begun.url,
            f"{begun.body_bytes} B",
        ]
    )


def _table_back(ended: EndedAttempt) -> str:
    time, answer, latency, failure = _back_cells(ended)
    return f"{time} <- {answer:<26}{latency}   {failure}".rstrip()


def _plain_back(ended: EndedAttempt) -> str:
    time, answer, latency, failure = _back_cells(ended)
    return f"{time}\t<-\t{answer}\t{latency}\t{failure}"


def _back_cells(ended: EndedAttempt) -> tuple[str, str, str, str]:
    came_back_at = ended.begun.started_at + timedelta(milliseconds=ended.duration_ms)
    failure = "" if ended.accepted else _failure_text(ended)
    return (
        output.format_time_of_day(came_back_at),
        ended.outcome if ended.answer_status is None else output.format_status(ended.answer_status),
        f"{ended.duration_ms:.0f} ms",
        output.printable(failure),
    )


def _failure_text(ended: EndedAttempt) -> str:
    text = " ".join(filter(None, [ended.error, _text(ended.answer_body or b"").strip()]))
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"


def _text(body: bytes) -> str:
    return body.decode("utf-8", "replace")


def _remarks(ended: EndedAttempt, retried_by: str | None) -> Iterator[str]:
    """Yield remarks about an attempt that follow its two lines."""
    if not ended.accepted:
        yield _outcome_and_next_step(ended, retried_by)
    if ended.assumptions:
        named = ", ".join(f"{name}={value}" for name, value in ended.assumptions.items())
        yield f"assuming {named}"
    if ended.fault is not None:
        yield f"on purpose, by the fault {ended.fault}"


def _outcome_and_next_step(ended: EndedAttempt, retried_by: str | None) -> str:
    then = "" if retried_by is None else f"; {_next_step(ended, retried_by)}"
    is_about_signature = ended.answer_status in _ABOUT_SIGNATURES
    advice = f" {_signature_advice(ended.assumptions)}" if is_about_signature else ""
    return f"{ended.outcome}{then}.{advice}"


def _signature_advice(assumptions: Mapping[str, str]) -> str:
    """Say what is signed under these assumptions, or by default how to find a mistake."""
    return assumptions_note(parse_assumptions(assumptions)) or _SIGNATURE_ADVICE


def _next_step(ended: EndedAttempt, retried_by: str) -> str:
    if ended.next_due_at is not None:
        return f"next attempt {output.format_time_of_day(ended.next_due_at)}{retried_by}"
    if ended.status is DeliveryStatus.PENDING:
        return "another attempt follows"
    identifier = output.abbreviated(ended.begun.delivery_id).removeprefix("…")
    return (
        f"no attempt is left ({ended.status}). Again: leanbe-emitter deliveries redeliver "
        f"{identifier}"
    )
