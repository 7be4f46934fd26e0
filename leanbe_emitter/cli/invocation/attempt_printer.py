"""How an attempt is printed: one line out and one back, the same in every command.

    14:02:15 -> idea.upVoted   …a2e4b7  attempt 1  POST http://127.0.0.1:8000/hooks/leanbe  911 B
    14:02:15 <- 401 Unauthorized          3 ms   {"detail":"bad signature"}
                refused; next attempt 14:02:20 by any worker, or --follow. ...

The third line stands where an attempt was not accepted. ``plain`` has the cells of the first two
between tabs, ids in full, and the third on stderr; ``json`` and ``jsonl`` have a document for each
attempt.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from leanbe_emitter.cli.invocation import output
from leanbe_emitter.cli.invocation.output import Document, OutputFormat
from leanbe_emitter.storage.schema.states import DeliveryStatus, Outcome
from leanbe_emitter.wire.assumptions.lookup import read
from leanbe_emitter.wire.explain.other_signings import told

#: How many characters of an answer's body a line shows.
_SHOWN = 120
_INDENT = " " * len("14:02:11 -> ")
#: Answers by which a receiver may say that the signature does not fit.
_ABOUT_SIGNATURES = frozenset({400, 401, 403})
_SIGNATURE_ADVICE = (
    "Leanbe signs JSON.stringify(payload), not the raw body: leanbe-emitter explain --help"
)


@dataclass(frozen=True, kw_only=True)
class StartedAttempt:
    """A request that goes out; it has no id where nothing is kept of it."""

    delivery_id: str
    event: str
    number: int
    started_at: datetime
    method: str
    url: str
    body_bytes: int


@dataclass(frozen=True, kw_only=True)
class EndedAttempt:
    """A request, and what came back.

    Attributes:
        status: what the delivery is now.
        next_due_at: when it is due again; None where it is settled, or the next attempt is under
            way or made already.
        assumptions: those that were not the article's at this attempt.
        fault: what was done to it on purpose, if anything was.
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
        """Whether the receiver took it."""
        return self.outcome is Outcome.DELIVERED

    def document(self) -> Document:
        """Return what ``json`` shows of it; what is not kept has no delivery and is due never."""
        is_kept, due = bool(self.begun.delivery_id), self.next_due_at
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
            "status": self.status if is_kept else None,
            "nextDueAt": output.format_instant(due) if is_kept and due else None,
            "assumptions": self.assumptions,
            "fault": self.fault,
        }


class AttemptPrinter:
    """Prints attempts as they are made, and counts them.

    A line out is printed at once where nothing else is under way; where much is, it waits for its
    line back, so that the two stand together.

    Args:
        form: the form of what is printed.
        notice: where a remark goes that is no data.
        line: where the lines go: stdout, unless something else is data.
        retried_by: who makes the next attempt: `` by any worker, or --follow``; may be empty.
            None where nothing is kept, so that there will be none.
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
        self._under_way: set[str] = set()
        self._printed: str | None = None
        self._documents: list[Document] = []
        self.made = 0
        self.accepted = 0

    def begun(self, begun: StartedAttempt) -> None:
        """Print the line out, if its line back will be the next."""
        if self.is_alone(begun.delivery_id):
            self.out(begun)

    def is_alone(self, delivery_id: str) -> bool:
        """Note that an attempt begins; say whether its line out is to be printed at once."""
        self._under_way.add(delivery_id)
        return len(self._under_way) == 1 and self._form in {OutputFormat.TABLE, OutputFormat.PLAIN}

    def ended(self, ended: EndedAttempt) -> None:
        """Print what came back."""
        self.made += 1
        self.accepted += ended.accepted
        self._under_way.discard(ended.begun.delivery_id)
        match self._form:
            case OutputFormat.JSON:
                self._documents.append(ended.document())
            case OutputFormat.JSONL:
                self._line(output.json_line(ended.document()))
            case _:
                self._back(ended)

    def close(self) -> None:
        """Print what is printed at the end only."""
        if self._form is OutputFormat.JSON:
            output.print_rows(self._form, self._documents, columns=[])

    def out(self, begun: StartedAttempt) -> None:
        """Print the line out of an attempt, for a person or in plain."""
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
    time, answer, latency, said = _back_cells(ended)
    return f"{time} <- {answer:<26}{latency}   {said}".rstrip()


def _plain_back(ended: EndedAttempt) -> str:
    time, answer, latency, said = _back_cells(ended)
    return f"{time}\t<-\t{answer}\t{latency}\t{said}"


def _back_cells(ended: EndedAttempt) -> tuple[str, str, str, str]:
    came_back_at = ended.begun.started_at + timedelta(milliseconds=ended.duration_ms)
    said = "" if ended.accepted else _said(ended)
    return (
        output.format_time_of_day(came_back_at),
        ended.outcome if ended.answer_status is None else output.format_status(ended.answer_status),
        f"{ended.duration_ms:.0f} ms",
        output.printable(said),
    )


def _said(ended: EndedAttempt) -> str:
    text = " ".join(filter(None, [ended.error, _text(ended.answer_body or b"").strip()]))
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _text(body: bytes) -> str:
    return body.decode("utf-8", "replace")


def _remarks(ended: EndedAttempt, retried_by: str | None) -> Iterator[str]:
    """Yield what to know of an attempt beside its two lines."""
    if not ended.accepted:
        yield _why_and_what_next(ended, retried_by)
    if ended.assumptions:
        named = ", ".join(f"{name}={value}" for name, value in ended.assumptions.items())
        yield f"assuming {named}"
    if ended.fault is not None:
        yield f"on purpose, by the fault {ended.fault}"


def _why_and_what_next(ended: EndedAttempt, retried_by: str | None) -> str:
    next_step = "" if retried_by is None else f"; {_what_is_next(ended, retried_by)}"
    is_about_signature = ended.answer_status in _ABOUT_SIGNATURES
    advice = f" {_signature_advice(ended.assumptions)}" if is_about_signature else ""
    return f"{ended.outcome}{next_step}.{advice}"


def _signature_advice(assumptions: Mapping[str, str]) -> str:
    """Say what is signed and where it stands; by the article, how to find a mistake."""
    return told(read(assumptions)) or _SIGNATURE_ADVICE


def _what_is_next(ended: EndedAttempt, retried_by: str) -> str:
    if ended.next_due_at is not None:
        return f"next attempt {output.format_time_of_day(ended.next_due_at)}{retried_by}"
    if ended.status is DeliveryStatus.PENDING:
        return "another attempt follows"
    identifier = output.abbreviated(ended.begun.delivery_id).removeprefix("…")
    return (
        f"no attempt is left ({ended.status}). Again: leanbe-emitter deliveries redeliver "
        f"{identifier}"
    )
