"""The commands ``deliveries ...``: list, show, explain, redeliver, discard and wait."""

import sys
from typing import TYPE_CHECKING, Any

import click

from leanbe_emitter.cli.invocation import completion, output, shared_options
from leanbe_emitter.cli.invocation.attempt_printer import (
    BY_ANY_WORKER,
    printing_attempts,
    who_retries,
)
from leanbe_emitter.cli.invocation.commands import EnumChoice, group, subcommand
from leanbe_emitter.cli.invocation.confirmation import confirm, numbers
from leanbe_emitter.cli.invocation.exit_status import Failed
from leanbe_emitter.cli.invocation.explanations import print_explanation
from leanbe_emitter.cli.invocation.invocation import Invocation
from leanbe_emitter.cli.invocation.param_types import WholeNumber
from leanbe_emitter.cli.look import delivery_output
from leanbe_emitter.cli.look.delivery_filters import (
    delivery_filters,
    filter_of,
    notice_searched,
    require_ids_or_filter,
)
from leanbe_emitter.delivery.network.code_forms import CodeForm
from leanbe_emitter.storage.schema.states import DeliveryStatus
from leanbe_emitter.wire.durations import format_duration

if TYPE_CHECKING:
    from datetime import datetime

    from leanbe_emitter.library import Delivery, Job, Leanbe, Page
    from leanbe_emitter.library.deliveries.list_rows import RowOfDelivery


@group("deliveries", example="leanbe-emitter deliveries list")
def deliveries() -> None:
    """Deliveries: their states, and the evidence of every attempt."""


@subcommand(
    deliveries, "list", example="leanbe-emitter deliveries list --status pending --since 10m"
)
@delivery_filters()
@click.option(
    "--view",
    type=click.Choice(["rows"]),
    help="Print rows: short, with what the event is about, and without bodies and answers.",
)
@shared_options.limit
@shared_options.after
@click.pass_obj
def list_(
    invocation: Invocation, /, *, view: str | None, limit: int, after: str | None, **filters: Any
) -> None:
    """List deliveries, the newest first.

    If there are more, stderr shows the cursor for --after. --output json prints {"items": [...],
    "cursor": ...}. --q and --about look at the newest 10 000 deliveries.
    """
    with invocation.open_leanbe() as leanbe:
        which = filter_of(leanbe, filters)
        page: Page[Delivery] | Page[RowOfDelivery]
        if view is None:
            page = leanbe.deliveries.list(which, limit=limit, after=after)
        else:
            page = leanbe.deliveries.rows(which, limit=limit, after=after)
        columns = (delivery_output.row_columns if view else delivery_output.columns)(
            leanbe.clock.now()
        )
        notice_searched(invocation, leanbe, which)
        invocation.print_page(page, columns)


@subcommand(deliveries, "count", example="leanbe-emitter deliveries count --answer 5xx")
@delivery_filters()
@click.pass_obj
def count(invocation: Invocation, /, **filters: Any) -> None:
    """Count deliveries, by status; counting stops at 100 000.

    --q and --about look at the newest 10 000 deliveries.
    """
    with invocation.open_leanbe() as leanbe:
        which = filter_of(leanbe, filters)
        document = leanbe.deliveries.count(which).document()
        notice_searched(invocation, leanbe, which)
    output.print_labelled(invocation.output_format, document, columns=delivery_output.COUNT)


_attempt = click.option(
    "--attempt",
    type=WholeNumber(min=1),
    metavar="N",
    help="The number of the attempt; default: the last one.",
)


@subcommand(deliveries, "show", example="leanbe-emitter deliveries show a2e421 --code curl")
@click.argument("delivery", metavar="ID", shell_complete=completion.DELIVERIES)
@click.option("--raw", is_flag=True, help="Print only the request's body, byte for byte.")
@click.option(
    "--code", type=EnumChoice(CodeForm), help="Print code that sends the same bytes, in this form."
)
@click.option("--signed", is_flag=True, help="Print only the text that was signed, byte for byte.")
@_attempt
@click.pass_obj
def show(  # noqa: PLR0913 - one argument for each option
    invocation: Invocation,
    *,
    delivery: str,
    raw: bool,
    code: CodeForm | None,
    signed: bool,
    attempt: int | None,
) -> None:
    """Show one delivery: its payload, and the request and the answer of each attempt."""
    if raw + (code is not None) + signed > 1:
        raise click.UsageError("--raw, --code and --signed exclude each other: give one of them.")
    if attempt is not None and code is None:
        raise click.UsageError("--attempt needs --code: without it, all attempts are shown.")
    with invocation.open_leanbe() as leanbe:
        found = leanbe.deliveries.get(delivery)
        if code is not None:
            output.print_text(found.code(code, attempt=attempt).text)
        elif raw:
            output.print_bytes(_body(found))
        elif signed:
            output.print_bytes(found.signed_text().encode())
        else:
            delivery_output.print_delivery(invocation.output_format, found.document())


@subcommand(deliveries, "signature", example="leanbe-emitter deliveries signature a2e421")
@click.argument("delivery", metavar="ID", shell_complete=completion.DELIVERIES)
@_attempt
@click.pass_obj
def signature(invocation: Invocation, delivery: str, *, attempt: int | None) -> None:
    """Show how a request was signed, step by step: text, formula, secret, digits, and the check."""
    with invocation.open_leanbe() as leanbe:
        document = leanbe.deliveries.get(delivery).signature(attempt=attempt).document()
    output.print_labelled(invocation.output_format, document, columns=delivery_output.SIGNATURE)


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
@_attempt
@click.pass_obj
def explain(  # noqa: PLR0913 - one argument for each option
    invocation: Invocation,
    delivery: str,
    *,
    attempt: int | None,
    got: str | None,
    hashed: bytes | None,
    lang: str | None,
    probe: bool,
) -> None:
    """Explain why a receiver refuses the signature of a delivery.

    It explains the body of the last attempt, or of --attempt, with the product's own secrets, as
    "explain" does. A signature in the receiver's answer is explained by itself. With --probe, the
    receiver's answers tell its mistake: it gets up to some hundred requests, each with a fresh
    document, and may act on those that it accepts. Exits with 0 if it finds the cause, or if the
    receiver is right.
    """
    with invocation.open_leanbe() as leanbe:
        explanation = leanbe.deliveries.get(delivery).explain(
            attempt=attempt, got=got, hashed=hashed, lang=lang, probe=probe
        )
    print_explanation(invocation, explanation)


@subcommand(
    deliveries,
    "redeliver",
    example="leanbe-emitter deliveries redeliver --status exhausted --job after-the-outage",
)
@click.argument("delivery", metavar="[ID...]", nargs=-1, shell_complete=completion.DELIVERIES)
@delivery_filters(job="--of-job")
@click.option("--dry-run", is_flag=True, help="List the events, and deliver nothing.")
@shared_options.dry_run_page
@click.option("--job", metavar="NAME", help="Start the job of this name, or continue it.")
@click.pass_obj
def redeliver(  # noqa: PLR0913 - one argument for each option
    invocation: Invocation,
    /,
    *,
    delivery: tuple[str, ...],
    dry_run: bool,
    limit: int | None,
    after: str | None,
    job: str | None,
    of_job: str | None,
    **filters: Any,
) -> None:
    """Deliver old events again: the same bytes, to the product's current URL.

    Name deliveries by id, or give a filter. A job delivers each event once: after an interruption,
    start it again with the same --job and the same filter, and it continues. --since may differ.
    """
    from leanbe_emitter.library import Job  # noqa: PLC0415 - loads SQLAlchemy

    require_ids_or_filter(delivery, {**filters, "job": of_job}, age="--since")
    if not dry_run and _is_given(limit, after):
        raise click.UsageError("--limit and --after need --dry-run: they are about its list.")
    with invocation.open_leanbe() as leanbe:
        which = None if delivery else filter_of(leanbe, {**filters, "job": of_job})
        named = Job(name=job or leanbe.new_job_name(), references=delivery, which=which)
        if dry_run:
            page = leanbe.deliveries.redeliver_dry_run(
                named, limit=limit or shared_options.PAGE_LENGTH, after=after
            )
            columns = delivery_output.columns(leanbe.clock.now())
            invocation.print_page(page, columns)
            invocation.notice(f"Would redeliver {leanbe.deliveries.redeliverable(named)}.")
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
@delivery_filters(before="--older-than", since=None)
@click.option("--dry-run", is_flag=True, help="List the deliveries, and cancel nothing.")
@shared_options.dry_run_page
@shared_options.yes
@click.pass_obj
def discard(  # noqa: PLR0913 - one argument for each option
    invocation: Invocation,
    /,
    *,
    delivery: tuple[str, ...],
    older_than: "float | datetime | None",
    dry_run: bool,
    limit: int | None,
    after: str | None,
    yes: bool,
    **filters: Any,
) -> None:
    """Cancel pending deliveries, by id or by a filter.

    A filter leaves out deliveries that are settled or in flight. To name one of those by id is an
    error, and then nothing is cancelled.
    """
    given = {**filters, "before": older_than}
    require_ids_or_filter(delivery, given, age="--older-than")
    if not dry_run and _is_given(limit, after):
        raise click.UsageError("--limit and --after need --dry-run: they are about its list.")
    with invocation.open_leanbe() as leanbe:
        which = None if delivery else filter_of(leanbe, given)
        columns = delivery_output.columns(leanbe.clock.now())
        if dry_run:
            page = leanbe.deliveries.discard_dry_run(
                delivery, which=which, limit=limit or shared_options.PAGE_LENGTH, after=after
            )
            invocation.print_page(page, columns)
            number = leanbe.deliveries.discardable(which, references=delivery)
            invocation.notice(f"Would discard {number}.")
            return
        if which is not None:
            confirm(lambda: _what_is_discarded(leanbe.deliveries.discardable(which)), yes=yes)
        gone = [each.document() for each in leanbe.deliveries.discard(delivery, which=which)]
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

    with invocation.open_leanbe() as leanbe:
        if sys.stderr.isatty():
            invocation.notice(f"Waiting for at most {format_duration(timeout)}; Ctrl-C ends it.")
        if not _is_given(event, product, status, count):
            leanbe.wait_until_idle(timeout_seconds=timeout)
            return
        which = Filter(status=status, event=event, product=product)
        found = leanbe.deliveries.wait_for(which, count=count or 1, timeout_seconds=timeout)
        documents = [each.document() for each in found]
        columns = delivery_output.columns(leanbe.clock.now())
    output.print_rows(invocation.output_format, documents, columns=columns)


def _is_given(*filters: object) -> bool:
    """Return whether the user gave a filter."""
    return any(each is not None for each in filters)


def _body(delivery: "Delivery") -> bytes:
    return delivery.attempts[-1].request_body if delivery.attempts else delivery.event.body
