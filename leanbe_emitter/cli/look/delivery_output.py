"""How deliveries are printed: the columns of lists, and one delivery as a page for people.

A page has the payload, and the request and the answer of each attempt.
"""

import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial

from leanbe_emitter.cli.invocation import output
from leanbe_emitter.cli.invocation.output import Column, Document, OutputFormat
from leanbe_emitter.cli.invocation.terminal import Terminal
from leanbe_emitter.storage.schema.states import DeliveryStatus
from leanbe_emitter.wire.stringify import stringify

#: Names and values.
Headers = Sequence[Sequence[str]]

_INDENT = "  "


def _last_answer(document: Document) -> str:
    """Return the last answer in words; without an answer, the outcome of the attempt."""
    if not document["attempts"]:
        return ""
    last = document["attempts"][-1]
    return (
        output.format_status(last["answer"]["status"]) if last["answer"] else str(last["outcome"])
    )


def columns(now: datetime | None = None) -> Sequence[Column]:
    """Return the columns of a list; a table leaves out the date of ``now``."""
    short_time = partial(output.format_local_time, now=now)
    return [
        output.column("_id", title="id", short=output.abbreviated),
        output.column("event.triggeredAt", title="triggered", short=short_time),
        output.column("event.event", title="event", is_cut=True),
        output.column("status", is_status=True),
        Column(title="attempts", of=lambda document: len(document["attempts"])),
        Column(title="answer", of=_last_answer, short=_without_phrase),
        output.column("nextDueAt", title="next due", short=short_time),
    ]


def _without_phrase(answer: str) -> str:
    """Return ``401`` of ``401 Unauthorized``; an outcome stays as it is."""
    return answer.partition(" ")[0]


def row_columns(now: datetime | None) -> Sequence[Column]:
    """Return the columns of a list of rows."""
    short_time = partial(output.format_local_time, now=now)
    return [
        *columns(now)[:3],
        output.column("about.text", title="about", is_cut=True),
        output.column("status", is_status=True),
        output.column("attempts"),
        Column(title="answer", of=_row_answer, short=_without_phrase),
        output.column("nextDueAt", title="next due", short=short_time),
    ]


def _row_answer(document: Document) -> str:
    if document["answer"] is None:
        return document["outcome"] or ""
    return output.format_status(document["answer"])


_FACTS = [*columns(), output.column("url"), output.column("event.product", title="product")]
_SHOW = [
    *_FACTS,
    Column(title="payload", of=lambda document: stringify(document["event"]["payload"])),
]
_ATTEMPTS = [
    output.column("number", title="attempt"),
    output.column("startedAt", title="started"),
    output.column("outcome"),
    output.column("answer.status", title="answer"),
    output.column("durationMs", title="ms"),
    output.column("error"),
    output.column("answer.body", title="body"),
]
#: The columns of the steps of a signature.
SIGNATURE = [
    output.column("signedText", title="signed text"),
    *map(output.column, ("scheme", "content", "location", "secret", "signature", "verifies")),
    *map(output.column, ("fault", "assumptions")),
]
#: The columns of numbers by status.
COUNT = [
    output.column("count"),
    *(output.column(f"byStatus.{each}", title=each.value) for each in DeliveryStatus),
]


def print_delivery(output_format: OutputFormat, document: Document) -> None:
    """Print one delivery; on a terminal, its attempts follow it as a page."""
    if output_format is OutputFormat.TABLE:
        output.print_document(output_format, document, columns=_FACTS)
        for line in _page_lines(document, Terminal.of(sys.stdout)):
            output.print_text(line)
        return
    output.print_document(output_format, document, columns=_SHOW)
    if output_format is OutputFormat.PLAIN:
        output.print_rows(output_format, document["attempts"], columns=_ATTEMPTS)


def _page_lines(delivery: Document, terminal: Terminal) -> Iterator[str]:
    """Yield the lines below the table of a delivery.

    Args:
        delivery: the delivery's document.
        terminal: the terminal that shows the lines.
    """
    yield "Payload"
    yield from _indented(output.json_lines(delivery["event"]["payload"]))
    before: Headers = []
    for attempt in delivery["attempts"]:
        yield ""
        yield _title(attempt, terminal)
        yield from _indented(_attempt_lines(attempt, before))
        before = attempt["request"]["headers"]


def _title(attempt: Document, terminal: Terminal) -> str:
    started = output.format_time_of_day(datetime.fromisoformat(attempt["startedAt"]))
    outcome = terminal.coloured(attempt["outcome"], by=attempt["outcome"])
    return f"Attempt {attempt['number']}  {started}  {outcome}  {attempt['durationMs']:.0f} ms"


def _attempt_lines(attempt: Document, before: Headers) -> Iterator[str]:
    yield f"sent to {output.printable(attempt['url'])}"
    headers = attempt["request"]["headers"]
    if headers == before:
        yield f"{_INDENT}with the same headers"
    else:
        yield from _indented(_header_lines(headers))
    yield from _answer_lines(attempt)
    for title in ("error", "fault", "assumptions"):
        if text := output.cell(attempt[title]):
            yield f"{title}: {text}"


def _answer_lines(attempt: Document) -> Iterator[str]:
    answer = attempt["answer"]
    if answer is None:
        yield "no answer"
        return
    yield f"answered {output.format_status(answer['status'])}"
    yield from _indented(_header_lines(answer["headers"]))
    if answer["body"]:
        yield ""
        yield from _indented(output.body_lines(answer["body"]))


def _header_lines(headers: Headers) -> Iterator[str]:
    for name, value in headers:
        yield output.printable(f"{name}: {value}")


def _indented(lines: Iterator[str]) -> Iterator[str]:
    yield from (f"{_INDENT}{line}" for line in lines)
