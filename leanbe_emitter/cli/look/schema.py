"""The command ``schema``: the schema of an event's payload."""

import click

from leanbe_emitter.cli.invocation import output, shared_options
from leanbe_emitter.cli.invocation.commands import command
from leanbe_emitter.cli.invocation.invocation import Invocation
from leanbe_emitter.cli.invocation.opening import product_assumptions
from leanbe_emitter.cli.invocation.output import OutputFormat
from leanbe_emitter.cli.invocation.param_types import EVENT
from leanbe_emitter.wire.assumptions.parsing import parse_assumptions
from leanbe_emitter.wire.event_names import event_kind
from leanbe_emitter.wire.payloads.schema import json_schema
from leanbe_emitter.wire.payloads.typescript import typescript


@command("schema", example="leanbe-emitter schema idea.created --format typescript")
@click.argument("event", type=EVENT)
@click.option(
    "--format",
    "language",
    type=click.Choice(["json", "typescript"]),
    default="json",
    show_default=True,
    help="JSON Schema, or TypeScript.",
)
@shared_options.assumptions_of_product
@click.pass_obj
def schema(invocation: Invocation, *, event: str, language: str, product: str | None) -> None:
    """Print the schema of an event's payload.

    Leanbe's article shows two payloads. The schema marks what is inferred.
    """
    event_kind(event)
    assumptions = parse_assumptions(product_assumptions(invocation, product))
    if language == "typescript":
        output.print_text(typescript(event, assumptions).rstrip())
    else:
        output_format = (
            OutputFormat.JSONL
            if invocation.output_format is OutputFormat.JSONL
            else OutputFormat.JSON
        )
        output.print_document(output_format, json_schema(event, assumptions), columns=[])
