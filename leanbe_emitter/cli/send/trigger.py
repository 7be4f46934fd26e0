"""The command ``trigger``: create events, sign them, deliver them."""

from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from leanbe_emitter.cli.invocation import completion, output, shared_options
from leanbe_emitter.cli.invocation.commands import command
from leanbe_emitter.cli.invocation.invocation import Invocation, notice_events_without_delivery
from leanbe_emitter.cli.invocation.output import Document, OutputFormat
from leanbe_emitter.cli.invocation.param_types import CONTENT, EVENT, WholeNumber, as_mapping
from leanbe_emitter.storage.schema.states import DeliveryStatus
from leanbe_emitter.wire.event_names import EVENTS
from leanbe_emitter.wire.samples.sample_payloads import LIFECYCLE_ORDER
from leanbe_emitter.wire.stringify import parse_given_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from leanbe_emitter.library import DryRun, Leanbe, TriggerRequest
    from leanbe_emitter.outbox import Recorded

_CATALOGUE = [output.column(key) for key in ("group", "event", "meaning")]
_RECORDED = [
    output.column("delivery", short=output.abbreviated),
    output.column("event"),
    output.column("status"),
]
_DRY_RUN = [output.column(key) for key in ("event", "method", "url", "body")]


@command("trigger", example='leanbe-emitter trigger idea.created --set title="Dark mode"')
@click.argument("events", type=EVENT, nargs=-1, metavar="[EVENT...]")
@shared_options.product
@shared_options.payload_changes
@click.option("--payload", type=CONTENT, help="A payload instead of the sample: @FILE or -.")
@click.option("--strict", is_flag=True, help="Refuse a payload that does not match the schema.")
@click.option("--all", "is_all", is_flag=True, help="All 22 events, as one story.")
@click.option(
    "--times", type=WholeNumber(min=1), default=1, metavar="N", help="Repeat everything N times."
)
@click.option(
    "--same-as",
    metavar="DELIVERY",
    shell_complete=completion.DELIVERIES,
    help="Continue with the document of this delivery.",
)
@shared_options.delivery_options
@click.option("--dry-run", is_flag=True, help="Show the requests; store and send nothing.")
@shared_options.assume
@click.pass_context
def trigger(  # noqa: PLR0913 - one argument for each option
    context: click.Context,
    *,
    events: tuple[str, ...],
    product: str | None,
    set_text: tuple[tuple[str, str], ...],
    set_json: tuple[tuple[str, Any], ...],
    unset: tuple[str, ...],
    payload: bytes | None,
    strict: bool,
    is_all: bool,
    times: int,
    same_as: str | None,
    follow: bool,
    no_deliver: bool,
    dry_run: bool,
    assume: tuple[tuple[str, str], ...],
) -> None:
    """Create events, sign them and deliver them.

    Without an event, lists all events. The payload is a sample with your changes (--set, then
    --set-json, then --unset). Several events in one call are about the same document. The first
    attempt follows at once; a "worker" or --follow makes the retries.
    """
    invocation = context.ensure_object(Invocation)
    names = _names(events, is_all=is_all)
    if not names:
        _refuse_options_without_event(context)
        _list_events(invocation.output_format)
        return
    from leanbe_emitter.library import Changes, TriggerRequest  # noqa: PLC0415 - loads SQLAlchemy

    wanted = TriggerRequest(
        events=names,
        product=product,
        changes=Changes(
            set=as_mapping(set_text),
            set_json=as_mapping(set_json),
            unset=unset,
            is_strict=strict,
            **({} if payload is None else {"payload": parse_given_bytes(payload, what="The file")}),
        ),
        same_as=same_as,
        times=times,
        assume=as_mapping(assume),
    )
    if no_deliver and not dry_run:
        with invocation.open_recorder() as recorder:
            _show_recorded(invocation, recorder.record(wanted))
        return
    with invocation.open_leanbe() as leanbe:
        if dry_run:
            _show_requests(invocation.output_format, leanbe.dry_run(wanted))
        else:
            _deliver(invocation, leanbe, wanted, follow=follow)


def _names(events: tuple[str, ...], *, is_all: bool) -> tuple[str, ...]:
    if events and is_all:
        raise click.UsageError("--all means every event: leave out the EVENTs.")
    return LIFECYCLE_ORDER if is_all else events


def _refuse_options_without_event(context: click.Context) -> None:
    """Refuse options without an event: the list of events would hide the mistake."""
    for name in context.params:
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise click.UsageError("An EVENT is missing: name it, or give --all for all of them.")


def _deliver(
    invocation: Invocation, leanbe: "Leanbe", wanted: "TriggerRequest", *, follow: bool
) -> None:
    # The printer of attempts loads the explanations of mistakes: --no-deliver needs neither.
    from leanbe_emitter.cli.invocation.attempt_printer import (  # noqa: PLC0415
        BY_ANY_WORKER_OR_FOLLOW,
        printing_attempts,
        who_retries,
    )
    from leanbe_emitter.cli.invocation.exit_status import require_delivered  # noqa: PLC0415 - the same

    retried_by = "" if follow else who_retries(leanbe, BY_ANY_WORKER_OR_FOLLOW)
    with printing_attempts(
        invocation, retried_by=retried_by, summary=True, is_followed=follow
    ) as watcher:
        triggered = leanbe.trigger_all(wanted, watcher=watcher)
        notice_events_without_delivery(
            invocation, (each.event.name for each in triggered if each.delivery is None)
        )
        with_delivery = [each.delivery for each in triggered if each.delivery is not None]
        if follow:
            leanbe.follow(with_delivery, watcher=watcher)
    if follow:
        require_delivered(leanbe, with_delivery)


def _show_recorded(invocation: Invocation, recorded: "Sequence[Recorded]") -> None:
    with_delivery = [each for each in recorded if each.delivery_id is not None]
    documents = [
        {"delivery": each.delivery_id, "event": each.name, "status": DeliveryStatus.PENDING}
        for each in with_delivery
    ]
    output.print_rows(invocation.output_format, documents, columns=_RECORDED)
    notice_events_without_delivery(
        invocation, (each.name for each in recorded if each not in with_delivery)
    )
    if with_delivery:
        invocation.notice("Left to a worker. Run one with: leanbe-emitter worker --drain")


def _list_events(output_format: OutputFormat) -> None:
    output.print_rows(
        output_format,
        list(_catalogue(is_table=output_format is OutputFormat.TABLE)),
        columns=_CATALOGUE,
    )


def _catalogue(*, is_table: bool) -> "Iterator[Document]":
    """Yield the 22 events; a table shows the name of a group once."""
    last = ""
    for event in EVENTS:
        is_repeated = is_table and event.group == last
        last = event.group
        yield {
            "group": "" if is_repeated else event.group,
            "event": event.name,
            "meaning": event.meaning,
            "payload": event.payload_source,
        }


def _show_requests(output_format: OutputFormat, requests: "Sequence[DryRun]") -> None:
    output.print_rows(output_format, [each.document() for each in requests], columns=_DRY_RUN)
