"""The commands ``assumptions ...``: answers to the questions that the article leaves open."""

import click

from leanbe_emitter.cli.invocation import completion, output, shared_options
from leanbe_emitter.cli.invocation.commands import group, subcommand
from leanbe_emitter.cli.invocation.invocation import Invocation, product_assumptions
from leanbe_emitter.cli.invocation.param_types import ASSUMPTION
from leanbe_emitter.wire.assumptions.catalogue import ASSUMPTIONS
from leanbe_emitter.wire.assumptions.catalogue import assumption as find

_LIST = [output.column(key) for key in ("name", "value", "question")]
_SHOW = [
    output.column(key)
    for key in ("number", "name", "value", "article", "accepts", "question", "evidence", "note")
]


@group("assumptions", example="leanbe-emitter assumptions list")
def assumptions() -> None:
    """Answers to the questions that Leanbe's article leaves open.

    Every assumption has a name and a value. A product stores the values that somebody set; the
    other assumptions have their defaults.
    """


@subcommand(assumptions, "list", example="leanbe-emitter assumptions list --product Acme")
@shared_options.assumptions_of_product
@click.pass_obj
def list_(invocation: Invocation, product: str | None) -> None:
    """List all assumptions, with their values."""
    values = product_assumptions(invocation, product)
    documents = [each.document(values) for each in ASSUMPTIONS if each.name]
    output.print_rows(invocation.output_format, documents, columns=_LIST)


@subcommand(assumptions, "show", example="leanbe-emitter assumptions show triggered_at")
@click.argument("name", type=ASSUMPTION)
@shared_options.assumptions_of_product
@click.pass_obj
def show(invocation: Invocation, name: str, product: str | None) -> None:
    """Show one assumption: the question, the evidence, and the possible values."""
    found = find(name)
    document = found.document(product_assumptions(invocation, product))
    output.print_document(invocation.output_format, document, columns=_SHOW)


@subcommand(
    assumptions, "set", example="leanbe-emitter assumptions set max_attempts 1 --product Acme"
)
@click.argument("name", type=ASSUMPTION)
@click.argument("value", shell_complete=completion.ASSUMPTION_VALUES)
@shared_options.product
@click.pass_obj
def set_(invocation: Invocation, *, name: str, value: str, product: str | None) -> None:
    """Set an assumption of a product."""
    found = find(name)
    with invocation.open_leanbe() as leanbe:
        text = leanbe.assumptions.set(name, value, product=product)
    output.print_document(invocation.output_format, found.document({name: text}), columns=_LIST)


@subcommand(
    assumptions, "unset", example="leanbe-emitter assumptions unset max_attempts --product Acme"
)
@click.argument("name", type=ASSUMPTION)
@shared_options.product
@click.pass_obj
def unset(invocation: Invocation, name: str, product: str | None) -> None:
    """Give an assumption of a product its default again."""
    found = find(name)
    with invocation.open_leanbe() as leanbe:
        leanbe.assumptions.unset(name, product=product)
    output.print_document(invocation.output_format, found.document({}), columns=_LIST)
