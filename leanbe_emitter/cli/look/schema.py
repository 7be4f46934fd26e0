"""The command ``schema``: what an event's payload looks like."""

import click

from leanbe_emitter.cli.invocation import options, output
from leanbe_emitter.cli.invocation.command_classes import command
from leanbe_emitter.cli.invocation.invocation import Invocation
from leanbe_emitter.cli.invocation.opening import set_assumptions
from leanbe_emitter.cli.invocation.output import Form
from leanbe_emitter.cli.invocation.values import EVENT
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
@options.assumptions_of
@click.pass_obj
def schema(invocation: Invocation, *, event: str, language: str, product: str | None) -> None:
    """Print what an event's payload looks like.

    Leanbe's article shows two payloads; what is inferred is marked as such.
    """
    event_kind(event)
    assumptions = parse_assumptions(set_assumptions(invocation, product))
    if language == "typescript":
        output.text(typescript(event, assumptions).rstrip())
    else:
        form = Form.JSONL if invocation.form is Form.JSONL else Form.JSON
        output.record(form, json_schema(event, assumptions), columns=[])
