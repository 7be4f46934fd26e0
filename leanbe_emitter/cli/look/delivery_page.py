"""A delivery as a page for people: its payload, and the request and the answer of each attempt."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from leanbe_emitter.cli.invocation import output
from leanbe_emitter.cli.invocation.output import Document
from leanbe_emitter.cli.invocation.terminal import Terminal

#: Names and values.
Headers = Sequence[Sequence[str]]

_INDENT = "  "


def page_lines(delivery: Document, terminal: Terminal) -> Iterator[str]:
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
