"""The commands ``events ...``: what has happened, whether anything is owed for it or not."""

import click

from leanbe_emitter.cli.invocation import options, output
from leanbe_emitter.cli.invocation.command_classes import group, subcommand
from leanbe_emitter.cli.invocation.invocation import Invocation
from leanbe_emitter.cli.invocation.opening import opened
from leanbe_emitter.cli.invocation.output import Column
from leanbe_emitter.cli.invocation.pages import print_page
from leanbe_emitter.wire.stringify import stringify

_LIST = [
    output.column("_id", title="id", short=output.abbreviated),
    output.column("event"),
    output.column("sequence"),
    output.column("triggeredAt", short=output.local),
    output.column("product", short=output.abbreviated),
]
_SHOW = [*_LIST, Column(title="payload", of=lambda document: stringify(document["payload"]))]


@group("events", example="leanbe-emitter events list")
def events() -> None:
    """What has happened, whether anything is owed for it or not."""


@subcommand(events, "list", example="leanbe-emitter events list --event 'idea.*'")
@options.event_glob
@options.of_product
@options.limit
@options.after
@click.pass_obj
def list_(
    invocation: Invocation, *, event: str | None, product: str | None, limit: int, after: str | None
) -> None:
    """List events, the newest first.

    Where there are more, the cursor for --after is told on stderr; --output json prints {"items":
    [...], "cursor": ...}.
    """
    with opened(invocation) as leanbe:
        page = leanbe.events.list(event=event, product=product, limit=limit, after=after)
        documents = [each.document() for each in page]
    print_page(invocation, documents, page.cursor, _LIST)


@subcommand(events, "show", example="leanbe-emitter events show a2e42a")
@click.argument("event", metavar="ID")
@click.pass_obj
def show(invocation: Invocation, event: str) -> None:
    """Show one event with its payload."""
    with opened(invocation) as leanbe:
        document = leanbe.events.get(event).document()
    output.record(invocation.form, document, columns=_SHOW)
