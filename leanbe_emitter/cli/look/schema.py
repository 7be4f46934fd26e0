"""The command ``schema``: the schema of an event's payload, or types for all events."""

import click

from leanbe_emitter.cli.invocation import output, shared_options
from leanbe_emitter.cli.invocation.commands import command
from leanbe_emitter.cli.invocation.invocation import Invocation, product_assumptions
from leanbe_emitter.cli.invocation.output import Document, OutputFormat
from leanbe_emitter.cli.invocation.param_types import EVENT
from leanbe_emitter.wire.assumptions.assumption_set import AssumptionSet
from leanbe_emitter.wire.assumptions.parsing import parse_assumptions
from leanbe_emitter.wire.event_names import EVENT_NAMES, event_kind
from leanbe_emitter.wire.generated_types import LANGUAGES
from leanbe_emitter.wire.generated_types.records import type_file
from leanbe_emitter.wire.payloads.schema import bodies_schema, json_schema


@command("schema", example="leanbe-emitter schema --all --format typescript")
@click.argument("event", type=EVENT, required=False)
@click.option("--all", "is_all", is_flag=True, help="All 22 events in one document.")
@click.option(
    "--format",
    "language",
    type=click.Choice(["json", *LANGUAGES]),
    default="json",
    show_default=True,
    help="JSON Schema, or the types of a language.",
)
@shared_options.assumptions_of_product
@click.pass_obj
def schema(
    invocation: Invocation, *, event: str | None, is_all: bool, language: str, product: str | None
) -> None:
    """Print the schema of an event's payload, or the types of all events.

    Leanbe's article shows two payloads; the output marks what is inferred. Types include the body
    around the payload, and so does the JSON Schema of --all. Go, PHP and Java get a decoder, too.
    """
    if (event is None) is not is_all:
        raise click.UsageError("Give either an EVENT or --all.")
    if event is not None:
        event_kind(event)
    assumptions = parse_assumptions(product_assumptions(invocation, product))
    if language in LANGUAGES:
        events = EVENT_NAMES if event is None else (event,)
        output.print_text(LANGUAGES[language](type_file(events, assumptions)).rstrip())
    else:
        _print_json(invocation, _json_schema(event, assumptions))


def _json_schema(event: str | None, assumptions: AssumptionSet) -> Document:
    if event is None:
        return bodies_schema(assumptions)
    return json_schema(event, assumptions)


def _print_json(invocation: Invocation, document: Document) -> None:
    is_line = invocation.output_format is OutputFormat.JSONL
    output.print_document(
        OutputFormat.JSONL if is_line else OutputFormat.JSON, document, columns=[]
    )
