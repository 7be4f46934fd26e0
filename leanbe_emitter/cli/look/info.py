"""The command ``info``: the database, its clock, and counts."""

import click

from leanbe_emitter.cli.invocation import output
from leanbe_emitter.cli.invocation.commands import command
from leanbe_emitter.cli.invocation.invocation import Invocation
from leanbe_emitter.storage.schema.states import DeliveryStatus

_COLUMNS = [
    output.column("version"),
    output.column("db"),
    output.column("clock.kind", title="clock"),
    output.column("clock.now", title="now"),
    output.column("counts.products", title="products"),
    output.column("counts.events", title="events"),
    *(output.column(f"counts.deliveries.{each}", title=each.value) for each in DeliveryStatus),
    output.column("assumptions"),
    output.column("seedFile", title="seed file"),
]


@command("info", example="leanbe-emitter info")
@click.pass_obj
def info(invocation: Invocation) -> None:
    """Show version, database, time, counts, and the assumptions of new products."""
    with invocation.open_leanbe() as leanbe:
        document = leanbe.info().document()
    output.print_labelled(invocation.output_format, document, columns=_COLUMNS)
