"""The commands ``deliveries ...``: list, show, explain, redeliver, discard and wait."""

import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import click

from leanbe_emitter.cli.invocation import completion, output, shared_options
from leanbe_emitter.cli.invocation.attempt_printer import (
    BY_ANY_WORKER,
    printing_attempts,
    who_retries,
)
from leanbe_emitter.cli.invocation.commands import group, subcommand
from leanbe_emitter.cli.invocation.confirmation import confirm, numbers
from leanbe_emitter.cli.invocation.exit_status import Failed
from leanbe_emitter.cli.invocation.explanations import print_explanation
from leanbe_emitter.cli.invocation.invocation import Invocation
from leanbe_emitter.cli.invocation.opening import open_leanbe
from leanbe_emitter.cli.invocation.output import Column, Document, OutputFormat
from leanbe_emitter.cli.invocation.param_types import AGE, SINCE, WholeNumber
from leanbe_emitter.cli.invocation.terminal import Terminal
from leanbe_emitter.cli.look.delivery_page import page_lines
from leanbe_emitter.storage.schema.states import DeliveryStatus
from leanbe_emitter.wire.durations import format_duration
from leanbe_emitter.wire.stringify import stringify

if TYPE_CHECKING:
    from leanbe_emitter.library import Delivery, Job, Leanbe, Page
    from leanbe_emitter.library.deliveries.list_rows import RowOfDelivery


def _last_answer(document: Document) -> str:
    """Return the last answer in words; without an answer, the outcome of the attempt."""
    if not document["attempts"]:
        return ""
    last = document["attempts"][-1]
    return (
        output.format_status(last["answer"]["status"]) if last["answer"] else str(last["outcome"])
    )


def _columns(now: datetime | None = None) -> Sequence[Column]:
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


def _row_columns(now: datetime | None) -> Sequence[Column]:
    """Return the columns of a list of rows."""
    short_time = partial(output.format_local_time, now=now)
    return [
        *_columns(now)[:3],
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


_FACTS = [*_columns(), output.column("url"), output.column("event.product", title="product")]
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


@group("deliveries", example="leanbe-emitter deliveries list")
def deliveries() -> None:
    """Deliveries: their states, and the evidence of every attempt."""


_since = click.option(
    "--since",
    type=SINCE,
    metavar="TIME",
    help="Created since then: an age such as 10m, or an instant.",
)


@subcommand(
    deliveries, "list", example="leanbe-emitter deliveries list --status pending --since 10m"
)
@shared_options.status_filter
@shared_options.event_filter
@shared_options.product_filter
@_since
@click.option(
    "--view",
    type=click.Choice(["rows"]),
    help="Print rows: short, with what the event is about, and without bodies and answers.",
)
@shared_options.limit
@shared_options.after
@click.pass_obj
def list_(  # noqa: PLR0913 - one argument for each option
    invocation: Invocation,
    *,
    status: DeliveryStatus | None,
    event: str | None,
    product: str | None,
    since: "float | datetime | None",
    view: str | None,
    limit: int,
    after: str | None,
) -> None:
    """List deliveries, the newest first.

    If there are more, stderr shows the cursor for --after. --output json prints {"items": [...],
    "cursor": ...}.
    """
    from leanbe_emitter.library import Filter  # noqa: PLC0415 - loads SQLAlchemy

    with open_leanbe(invocation) as leanbe:
        which = Filter(status=status, event=event, product=product, since=_ago(leanbe, since))
        page: Page[Delivery] | Page[RowOfDelivery]
        if view is None:
            page = leanbe.deliveries.list(which, limit=limit, after=after)
        else:
            page = leanbe.deliveries.rows(which, limit=limit, after=after)
        documents = [each.document() for each in page]
        columns = (_row_columns if view else _columns)(leanbe.clock.now())
    invocation.print_page(documents, page.cursor, columns)


@subcommand(deliveries, "show", example="leanbe-emitter deliveries show a2e421 --curl")
@click.argument("delivery", metavar="ID", shell_complete=completion.DELIVERIES)
@click.option("--raw", is_flag=True, help="Print only the request's body, byte for byte.")
@click.option("--curl", is_flag=True, help="Print a shell command that sends the same bytes.")
@click.option("--signed", is_flag=True, help="Print only the text that was signed, byte for byte.")
@click.pass_obj
def show(invocation: Invocation, *, delivery: str, raw: bool, curl: bool, signed: bool) -> None:
    """Show one delivery: its payload, and the request and the answer of each attempt."""
    if raw + curl + signed > 1:
        raise click.UsageError("--raw, --curl and --signed exclude each other: give one of them.")
    with open_leanbe(invocation) as leanbe:
        found = leanbe.deliveries.get(delivery)
        if curl:
            output.print_text(found.curl())
        elif raw:
            output.print_bytes(_body(found))
        elif signed:
            output.print_bytes(found.signed_text().encode())
        else:
            _show(invocation.output_format, found.document())


@subcommand(
    deliveries, "explain", example="leanbe-emitter deliveries explain a2e421 --got undefined"
)
@click.argument("delivery", metavar="ID", shell_complete=completion.DELIVERIES)
@click.option("--got", metavar="HEX", help="The signature that the receiver computed or found.")
@shared_options.hashed
@shared_options.lang
@click.option(
    "--probe",
    is_flag=True,
    help="Ask the receiver: send it the event, signed as each known mistake would sign it.",
)
@click.pass_obj
def explain(  # noqa: PLR0913 - one argument for each option
    invocation: Invocation,
    delivery: str,
    *,
    got: str | None,
    hashed: bytes | None,
    lang: str | None,
    probe: bool,
) -> None:
    """Explain why a receiver refuses the signature of a delivery.

    It explains the last body that was sent, with the product's own secrets, as "explain" does. A
    signature in the receiver's answer is explained by itself. With --probe, the receiver's answers
    tell its mistake: it gets up to some hundred requests, each with a fresh document, and may act
    on those that it accepts. Exits with 0 if it finds the cause, or if the receiver is right.
    """
    with open_leanbe(invocation) as leanbe:
        explanation = leanbe.deliveries.explain(
            leanbe.deliveries.get(delivery), got=got, hashed=hashed, lang=lang, probe=probe
        )
    print_explanation(invocation, explanation)


@subcommand(
    deliveries,
    "redeliver",
    example="leanbe-emitter deliveries redeliver --status exhausted --job after-the-outage",
)
@click.argument("delivery", metavar="[ID...]", nargs=-1, shell_complete=completion.DELIVERIES)
@shared_options.status_filter
@shared_options.event_filter
@shared_options.product_filter
@_since
@click.option("--dry-run", is_flag=True, help="List the events, and deliver nothing.")
@shared_options.dry_run_page
@click.option("--job", metavar="NAME", help="Start the job of this name, or continue it.")
@click.pass_obj
def redeliver(  # noqa: PLR0913 - one argument for each option
    invocation: Invocation,
    *,
    delivery: tuple[str, ...],
    status: DeliveryStatus | None,
    event: str | None,
    product: str | None,
    since: "float | datetime | None",
    dry_run: bool,
    limit: int | None,
    after: str | None,
    job: str | None,
) -> None:
    """Deliver old events again: the same bytes, to the product's current URL.

    Name deliveries by id, or give a filter. A job delivers each event once: after an interruption,
    start it again with the same --job and the same filter, and it continues. --since may differ.
    """
    from leanbe_emitter.library import Filter, Job  # noqa: PLC0415 - loads SQLAlchemy

    _require_ids_or_filter(delivery, status, event, product, since, age="--since")
    if not dry_run and _is_given(limit, after):
        raise click.UsageError("--limit and --after need --dry-run: they are about its list.")
    with open_leanbe(invocation) as leanbe:
        narrowed = Filter(status=status, event=event, product=product, since=_ago(leanbe, since))
        which = None if delivery else narrowed
        named = Job(name=job or leanbe.new_job_name(), references=delivery, which=which)
        if dry_run:
            page = leanbe.deliveries.redeliver_dry_run(
                named, limit=limit or shared_options.PAGE_LENGTH, after=after
            )
            columns = _columns(leanbe.clock.now())
            invocation.print_page([each.document() for each in page], page.cursor, columns)
            more = "" if page.cursor is None else ", and more"
            invocation.notice(f"Would redeliver {len(page)}{more}.")
        elif delivery and job is None:
            retried_by = who_retries(leanbe, BY_ANY_WORKER)
            with printing_attempts(invocation, retried_by=retried_by) as watcher:
                leanbe.deliveries.redeliver(*delivery, watcher=watcher)
        else:
            _run(invocation, leanbe, named)


def _run(invocation: Invocation, leanbe: "Leanbe", job: "Job") -> None:
    invocation.notice(
        f"The job is {job.name}. After an interruption, --job {job.name} continues it."
    )
    retried_by = who_retries(leanbe, BY_ANY_WORKER)
    with printing_attempts(invocation, retried_by=retried_by) as watcher:
        done = leanbe.deliveries.redeliver(job, watcher=watcher)
        passed_over = f"; {done.without_url} have no URL now" if done.without_url else ""
        invocation.notice(f"Redelivered {done.made}{passed_over}.")
        if done.still_pending:
            raise Failed(
                f"{_of_the_job(done.still_pending)} not attempted yet.",
                hint="Held back, or in flight elsewhere. Run: leanbe-emitter worker --drain",
            )


def _of_the_job(number: int) -> str:
    words = "is still pending, and was" if number == 1 else "are still pending, and were"
    return f"{number} of the job {words}"


@subcommand(deliveries, "discard", example="leanbe-emitter deliveries discard --older-than 1h")
@click.argument("delivery", metavar="[ID...]", nargs=-1, shell_complete=completion.DELIVERIES)
@shared_options.status_filter
@shared_options.event_filter
@shared_options.product_filter
@click.option("--older-than", type=AGE, metavar="TIME", help="Older than this, such as 1h.")
@shared_options.yes
@click.pass_obj
def discard(  # noqa: PLR0913 - one argument for each option
    invocation: Invocation,
    *,
    delivery: tuple[str, ...],
    status: DeliveryStatus | None,
    event: str | None,
    product: str | None,
    older_than: float | None,
    yes: bool,
) -> None:
    """Cancel pending deliveries, by id or by a filter.

    A filter leaves out deliveries that are settled or in flight. To name one of those by id is an
    error, and then nothing is cancelled.
    """
    from leanbe_emitter.library import Filter  # noqa: PLC0415 - loads SQLAlchemy

    _require_ids_or_filter(delivery, status, event, product, older_than, age="--older-than")
    with open_leanbe(invocation) as leanbe:
        before = _ago(leanbe, older_than)
        narrowed = Filter(status=status, event=event, product=product, before=before)
        which = None if delivery else narrowed
        if which is not None:
            confirm(lambda: _what_is_discarded(leanbe.deliveries.discardable(narrowed)), yes=yes)
        gone = [each.document() for each in leanbe.deliveries.discard(delivery, which=which)]
        columns = _columns(leanbe.clock.now())
    output.print_rows(invocation.output_format, gone, columns=columns)
    invocation.notice(f"Discarded {len(gone)}.")


def _what_is_discarded(number: int) -> str:
    there = numbers({"pending delivery": number})
    return there and f"This cancels {there}."


@subcommand(
    deliveries,
    "wait",
    example="leanbe-emitter deliveries wait --event 'idea.*' --status delivered --timeout 5s",
)
@shared_options.event_filter
@shared_options.product_filter
@shared_options.status_filter
@click.option(
    "--count", type=WholeNumber(min=1), metavar="N", help="How many must match; default: 1."
)
@shared_options.timeout
@click.pass_obj
def wait(  # noqa: PLR0913 - one argument for each option
    invocation: Invocation,
    *,
    event: str | None,
    product: str | None,
    status: DeliveryStatus | None,
    count: int | None,
    timeout: float,
) -> None:
    """Wait until deliveries match; without a filter, until nothing is due or in flight.

    Without --status, every settled delivery matches. Prints the newest first. Exits with 1 after
    the timeout.
    """
    from leanbe_emitter.library import Filter  # noqa: PLC0415 - loads SQLAlchemy

    with open_leanbe(invocation) as leanbe:
        if sys.stderr.isatty():
            invocation.notice(f"Waiting for at most {format_duration(timeout)}; Ctrl-C ends it.")
        if not _is_given(event, product, status, count):
            leanbe.wait_until_idle(timeout_seconds=timeout)
            return
        which = Filter(status=status, event=event, product=product)
        found = leanbe.deliveries.wait_for(which, count=count or 1, timeout_seconds=timeout)
        documents = [each.document() for each in found]
        columns = _columns(leanbe.clock.now())
    output.print_rows(invocation.output_format, documents, columns=columns)


def _require_ids_or_filter(ids: tuple[str, ...], *filters: object, age: str) -> None:
    """Check that the user gave either ids or a filter.

    Raises:
        click.UsageError: neither, or both.
    """
    if ids and _is_given(*filters):
        raise click.UsageError("An ID needs no filter: leave out one of them.")
    if not ids and not _is_given(*filters):
        raise click.UsageError(
            f"Say which: ID, --status, --event, --product or {age}. "
            "For all deliveries: --event '*'."
        )


def _is_given(*filters: object) -> bool:
    """Return whether the user gave a filter."""
    return any(each is not None for each in filters)


def _ago(leanbe: "Leanbe", time: float | datetime | None) -> datetime | None:
    """Return an instant: that of an age in seconds, or the given one."""
    return leanbe.clock.now() - timedelta(seconds=time) if isinstance(time, float) else time


def _body(delivery: "Delivery") -> bytes:
    return delivery.attempts[-1].request_body if delivery.attempts else delivery.event.body


def _show(output_format: OutputFormat, document: Document) -> None:
    if output_format is OutputFormat.TABLE:
        output.print_document(output_format, document, columns=_FACTS)
        for line in page_lines(document, Terminal.of(sys.stdout)):
            output.print_text(line)
        return
    output.print_document(output_format, document, columns=_SHOW)
    if output_format is OutputFormat.PLAIN:
        output.print_rows(output_format, document["attempts"], columns=_ATTEMPTS)
