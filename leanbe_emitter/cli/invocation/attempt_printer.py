"""The printed lines of an attempt, the same in every command: one out, one back.

    14:02:15 -> idea.upVoted   …a2e4b7  attempt 1  POST http://127.0.0.1:8000/hooks/leanbe  911 B
    14:02:15 <- 401 Unauthorized          3 ms   {"detail":"bad signature"}
                refused; next attempt 14:02:20 by any worker, or --follow. ...

The third line follows an attempt that was not accepted. Advice that holds for several attempts is
printed once. On a terminal, no line is wider than the terminal. ``plain`` separates the cells of
the first two lines by tabs, prints whole ids, and prints the third line on stderr. ``json`` and
``jsonl`` print a document for each attempt.
"""

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from leanbe_emitter.cli.invocation import output
from leanbe_emitter.cli.invocation.exit_status import Failed
from leanbe_emitter.cli.invocation.invocation import Invocation
from leanbe_emitter.cli.invocation.output import Document, OutputFormat
from leanbe_emitter.cli.invocation.terminal import Terminal
from leanbe_emitter.clock import MANUAL
from leanbe_emitter.delivery.watching import Attempt, StartedAttempt, Watcher
from leanbe_emitter.storage.schema.states import DeliveryStatus, Outcome
from leanbe_emitter.wire.assumptions.parsing import assumptions_note, parse_assumptions
from leanbe_emitter.wire.explain.answer_digests import digests_in

if TYPE_CHECKING:
    from leanbe_emitter.library import Leanbe

#: The event's name for a body that is sent unchanged.
_AS_IS = "(as is)"
#: How many characters of an answer's body a line shows.
_MAX_SHOWN = 120
_INDENT = " " * len("14:02:11 -> ")
#: The width of the answer in a table.
_ANSWER_WIDTH = 26
#: Answers with which receivers refuse a signature.
_ABOUT_SIGNATURES = frozenset({400, 401, 403})
_SIGNATURE_ADVICE = (
    "Leanbe signs JSON.stringify(payload), not the raw body: leanbe-emitter explain --help"
)
#: The maker of the next attempt, if this command makes no other.
BY_ANY_WORKER = " by any worker"
BY_ANY_WORKER_OR_FOLLOW = f"{BY_ANY_WORKER}, or --follow"
#: The same with a manual clock, which neither of them moves.
BY_THE_CLOCK = " by the clock, once it is moved: leanbe-emitter clock run-until-settled"


class AttemptPrinter(Watcher):
    """Prints attempts while they are made, and counts them.

    A single attempt's line out is printed at once. If several attempts run at the same time, a line
    out waits for its line back, so that the two lines stand together.

    Args:
        output_format: the format of the output.
        notice: prints a remark that is no data.
        line: prints a line of data; by default on stdout.
        retried_by: the end of the sentence about a retry: `` by any worker, or --follow``. May be
            empty; None if nothing is stored and no retry follows.
        turn_ended: prints what a worker's turn has collected.
        mistake_of: returns the receiver's mistake in words, if its answer tells it; else nothing.
        terminal: the terminal that shows a table.
        with_bodies: whether to show the bodies of requests and answers.
    """

    def __init__(  # noqa: PLR0913 - where the lines go, and what they say
        self,
        output_format: OutputFormat,
        *,
        notice: Callable[[str], None],
        line: Callable[[str], None] = output.print_text,
        retried_by: str | None = "",
        turn_ended: Callable[[], None] = lambda: None,
        mistake_of: Callable[[Attempt], str] = lambda _attempt: "",
        terminal: Terminal | None = None,
        with_bodies: bool = False,
    ) -> None:
        self._form = output_format
        self._notice = notice
        self._line = line
        self._retried_by = retried_by
        self._end_turn = turn_ended
        self._mistake_of = mistake_of
        self._terminal = terminal or Terminal()
        self._with_bodies = with_bodies
        self._said: set[str] = set()
        self._assumed = ""
        self._fault: str | None = None
        self._outcomes: Counter[Outcome] = Counter()
        self._running: set[str] = set()
        self._printed: str | None = None
        self._documents: list[Document] = []

    @property
    def made(self) -> int:
        """How many attempts have ended."""
        return self._outcomes.total()

    @property
    def accepted(self) -> int:
        """How many of them the receiver accepted."""
        return self._outcomes[Outcome.DELIVERED]

    def started(self, attempt: StartedAttempt) -> None:
        """Print the line out, unless other attempts are running."""
        self._running.add(attempt.delivery_id)
        if len(self._running) == 1 and self._form in {OutputFormat.TABLE, OutputFormat.PLAIN}:
            self._out(attempt)

    def ended(self, attempt: Attempt) -> None:
        """Print the line back."""
        self._outcomes[attempt.outcome] += 1
        self._running.discard(attempt.delivery_id)
        match self._form:
            case OutputFormat.JSON:
                self._documents.append(self._document(attempt))
            case OutputFormat.JSONL:
                self._line(output.json_text(self._document(attempt)))
            case _:
                self._back(attempt)

    def turn_ended(self) -> None:
        """Print the lines of a worker's turn."""
        self._end_turn()

    def close(self) -> None:
        """Print the output that comes only at the end."""
        if self._form is OutputFormat.JSON:
            output.print_rows(self._form, self._documents, columns=[])

    def print_summary(self) -> None:
        """Print below a table how several attempts ended."""
        if self._form is OutputFormat.TABLE and self.made > 1:
            counts = (
                self._terminal.coloured(f"{number} {outcome}", by=outcome)
                for outcome, number in sorted(self._outcomes.items())
            )
            self._line(f"{self.made} attempts: {', '.join(counts)}.")

    def _document(self, attempt: Attempt) -> Document:
        body = {"body": _text(attempt.request_body)} if self._with_bodies else {}
        return {**_document(attempt), **body}

    def _out(self, attempt: StartedAttempt) -> None:
        is_table = self._form is OutputFormat.TABLE
        self._line(_table_out(attempt, self._terminal) if is_table else _plain_out(attempt))
        self._printed = attempt.delivery_id

    def _back(self, attempt: Attempt) -> None:
        if self._printed != attempt.delivery_id:
            self._out(attempt)
        self._printed = None
        is_plain = self._form is OutputFormat.PLAIN
        self._body(attempt.request_body, is_plain=is_plain)
        self._line(_plain_back(attempt) if is_plain else _table_back(attempt, self._terminal))
        self._body(attempt.shown_answer, is_plain=is_plain)
        for remark in self._remarks(attempt):
            if is_plain:
                self._notice(remark)
            else:
                self._indented(remark, attempt.outcome)

    def _body(self, body: bytes | None, *, is_plain: bool) -> None:
        """Print a body: indented below its line or, in plain, as the only cell of a line."""
        if not body or not self._with_bodies:
            return
        if is_plain:
            self._line(output.cell(_text(body)))
            return
        for line in output.body_lines(_text(body)):
            self._line(_INDENT + line)

    def _indented(self, remark: str, outcome: Outcome) -> None:
        for line in self._terminal.wrapped(remark, indent=len(_INDENT)):
            rest = line.removeprefix(outcome)
            word = "" if rest == line else self._terminal.coloured(outcome, by=outcome)
            self._line(f"{_INDENT}{word}{rest}")

    def _remarks(self, attempt: Attempt) -> Iterator[str]:
        """Yield remarks about an attempt that follow its two lines."""
        if not attempt.accepted:
            is_about_signature = attempt.answer_status in _ABOUT_SIGNATURES
            advice = self._signature_advice(attempt) if is_about_signature else ""
            yield f"{self._outcome_and_next_step(attempt)}. {advice}".rstrip()
        assumed = ", ".join(f"{name}={value}" for name, value in attempt.assumptions.items())
        if assumed and assumed != self._assumed:
            yield f"assuming {assumed}"
        self._assumed = assumed
        if attempt.fault not in {None, self._fault}:
            yield f"on purpose, by the fault {attempt.fault}"
        self._fault = attempt.fault

    def _outcome_and_next_step(self, attempt: Attempt) -> str:
        if self._retried_by is None:
            return attempt.outcome
        return f"{attempt.outcome}; {self._next_step(attempt, self._retried_by)}"

    def _next_step(self, attempt: Attempt, retried_by: str) -> str:
        if attempt.next_due_at is not None:
            at = output.format_time_of_day(attempt.next_due_at)
            return f"next attempt {at}{self._once(retried_by)}"
        if attempt.status is DeliveryStatus.PENDING:
            return "another attempt follows"
        return (
            f"no attempt is left ({attempt.status}). Again: leanbe-emitter deliveries redeliver "
            f"{_identifier(attempt)}"
        )

    def _signature_advice(self, attempt: Attempt) -> str:
        """Say the receiver's mistake, or what is signed, or by default how to find a mistake."""
        if mistake := self._mistake_of(attempt):
            return self._once(mistake, f"{mistake} The repair: {_explain_command(attempt)}")
        if attempt.delivery_id and digests_in(attempt.answer_body or b""):
            told = "Its answer has a signature. For the mistake:"
            return self._once(told, f"{told} {_explain_command(attempt)}")
        note = assumptions_note(parse_assumptions(attempt.assumptions))
        return self._once(note or _SIGNATURE_ADVICE)

    def _once(self, about: str, words: str = "") -> str:
        """Return words that hold for several attempts: the first time, and then nothing.

        Args:
            about: what the words are about.
            words: the words, if they are others than that.
        """
        is_new = about not in self._said
        self._said.add(about)
        return (words or about) if is_new else ""


def who_retries(leanbe: "Leanbe", otherwise: str) -> str:
    """Return the maker of the next attempt: with a manual clock, the one who moves it."""
    return BY_THE_CLOCK if leanbe.clock.kind == MANUAL else otherwise


@contextmanager
def printing_attempts(
    invocation: Invocation,
    *,
    retried_by: str | None = "",
    to_stderr: bool = False,
    summary: bool = False,
    is_followed: bool = False,
) -> Iterator[AttemptPrinter]:
    """Print the attempts that the block makes.

    Args:
        invocation: the run of the program.
        retried_by: the maker of a retry; None if there is none.
        to_stderr: whether the lines go to stderr, because stdout carries something else.
        summary: whether a table of several attempts ends with their number by outcome.
        is_followed: whether the ends of the deliveries decide the exit status, and no attempt.

    Raises:
        Failed: at the end of the block, if a receiver did not accept an attempt.
    """
    printer = AttemptPrinter(
        OutputFormat.TABLE if to_stderr else invocation.output_format,
        notice=invocation.notice,
        line=invocation.notice_line if to_stderr else output.print_text,
        retried_by=retried_by,
        terminal=Terminal.of(sys.stderr if to_stderr else sys.stdout),
    )
    try:
        yield printer
        if summary:
            printer.print_summary()
    finally:
        printer.close()
    if printer.accepted < printer.made and not is_followed:
        raise Failed(
            f"{printer.made - printer.accepted} of {_attempts(printer.made)} not accepted."
        )


@contextmanager
def printing_turns(invocation: Invocation) -> Iterator[AttemptPrinter | None]:
    """Print the attempts of a worker, all lines of a turn in one write.

    Yields:
        The worker's watcher; None if the output is discarded.
    """
    read = [sys.stdout] if invocation.quiet else [sys.stdout, sys.stderr]
    if output.are_discarded(*read):
        yield None
        return
    batch = output.Batch()

    def notice(remark: str) -> None:
        batch.print()  # a remark follows the lines that it is about
        invocation.notice(remark)

    printer = AttemptPrinter(
        invocation.output_format,
        notice=notice,
        line=batch.add,
        turn_ended=batch.print,
        terminal=Terminal.of(sys.stdout),
    )
    try:
        yield printer
    finally:
        printer.close()
        batch.print()


def _document(attempt: Attempt) -> Document:
    """Return the attempt as JSON; without a stored delivery, some members are null."""
    is_stored, due, answer = bool(attempt.delivery_id), attempt.next_due_at, attempt.shown_answer
    return {
        "delivery": attempt.delivery_id or None,
        "event": _name(attempt),
        "number": attempt.number,
        "outcome": attempt.outcome,
        "startedAt": output.format_instant(attempt.started_at),
        "durationMs": round(attempt.duration_ms, 3),
        "method": attempt.method,
        "url": attempt.url,
        "bodyBytes": len(attempt.request_body),
        "answerStatus": attempt.answer_status,
        "answerBody": None if answer is None else _text(answer),
        "error": attempt.error,
        "status": attempt.status if is_stored else None,
        "nextDueAt": output.format_instant(due) if is_stored and due else None,
        "assumptions": dict(attempt.assumptions),
        "fault": attempt.fault,
    }


def _name(attempt: StartedAttempt) -> str:
    return attempt.event or _AS_IS


def _table_out(attempt: StartedAttempt, terminal: Terminal) -> str:
    what = f"{output.printable(_name(attempt)):<14} {output.abbreviated(attempt.delivery_id):<7}"
    before = (
        f"{output.format_time_of_day(attempt.started_at)} -> {what}  attempt {attempt.number}  "
        f"{attempt.method} "
    )
    after = f"  {len(attempt.request_body)} B"
    url, beside = attempt.url, len(before) + len(after)
    if terminal.fitted(url, beside=beside) != url:
        # The host says more than the scheme, and there is no room for both.
        url = terminal.fitted(url.rpartition("://")[2], beside=beside)
    return f"{before}{url}{after}"


def _plain_out(attempt: StartedAttempt) -> str:
    return "\t".join(
        [
            output.format_time_of_day(attempt.started_at),
            "->",
            output.printable(_name(attempt)),
            attempt.delivery_id,
            f"attempt {attempt.number}",
            attempt.method,
            attempt.url,
            f"{len(attempt.request_body)} B",
        ]
    )


def _table_back(attempt: Attempt, terminal: Terminal) -> str:
    time, answer, latency, failure = _back_cells(attempt)
    padding = " " * (_ANSWER_WIDTH - len(answer))
    beside = len(f"{time} <- {answer}{padding}{latency}   ")
    coloured = terminal.coloured(answer, by=attempt.outcome)
    shown = terminal.fitted(failure, beside=beside)
    return f"{time} <- {coloured}{padding}{latency}   {shown}".rstrip()


def _plain_back(attempt: Attempt) -> str:
    time, answer, latency, failure = _back_cells(attempt)
    return f"{time}\t<-\t{answer}\t{latency}\t{failure}"


def _back_cells(attempt: Attempt) -> tuple[str, str, str, str]:
    came_back_at = attempt.started_at + timedelta(milliseconds=attempt.duration_ms)
    status = attempt.answer_status
    return (
        output.format_time_of_day(came_back_at),
        attempt.outcome if status is None else output.format_status(status),
        f"{attempt.duration_ms:.0f} ms",
        "" if attempt.accepted else output.printable(_failure_text(attempt)),
    )


def _failure_text(attempt: Attempt) -> str:
    text = " ".join(filter(None, [attempt.error, _text(attempt.shown_answer or b"").strip()]))
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"


def _text(body: bytes) -> str:
    return body.decode("utf-8", "replace")


def _explain_command(attempt: Attempt) -> str:
    return f"leanbe-emitter deliveries explain {_identifier(attempt)}"


def _identifier(attempt: Attempt) -> str:
    return output.abbreviated(attempt.delivery_id).removeprefix("…")


def _attempts(number: int) -> str:
    return "1 attempt was" if number == 1 else f"{number} attempts were"
