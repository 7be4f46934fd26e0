"""The commands ``events ...``: all events, with or without a delivery."""

import click

from leanbe_emitter.cli.invocation import completion, output, shared_options
from leanbe_emitter.cli.invocation.commands import group, subcommand
from leanbe_emitter.cli.invocation.invocation import Invocation
from leanbe_emitter.cli.invocation.output import Column
from leanbe_emitter.wire.stringify import stringify

_LIST = [
    output.column("_id", title="id", short=output.abbreviated),
    output.column("event"),
    output.column("sequence"),
    output.column("triggeredAt", short=output.format_local_time),
    output.column("product", short=output.abbreviated),
]
_SHOW = [*_LIST, Column(title="payload", of=lambda document: stringify(document["payload"]))]


@group("events", example="leanbe-emitter events list")
def events() -> None:
    """All events, with or without a delivery."""


@subcommand(events, "list", example="leanbe-emitter events list --event 'idea.*'")
@shared_options.event_filter
@shared_options.product_filter
@shared_options.limit
@shared_options.after
@click.pass_obj
def list_(
    invocation: Invocation, *, event: str | None, product: str | None, limit: int, after: str | None
) -> None:
    """List events, the newest first.

    If there are more, stderr shows the cursor for --after. --output json prints {"items": [...],
    "cursor": ...}.
    """
    with invocation.open_leanbe() as leanbe:
        page = leanbe.events.list(event=event, product=product, limit=limit, after=after)
        invocation.print_page(page, _LIST)


@subcommand(events, "show", example="leanbe-emitter events show a2e42a")
@click.argument("event", metavar="ID", shell_complete=completion.EVENTS)
@click.pass_obj
def show(invocation: Invocation, event: str) -> None:
    """Show one event with its payload."""
    with invocation.open_leanbe() as leanbe:
        document = leanbe.events.get(event).document()
    output.print_document(invocation.output_format, document, columns=_SHOW)
