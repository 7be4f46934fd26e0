"""The commands ``assumptions ...``: list, show, set and reset assumptions."""

import click

from leanbe_emitter.cli.invocation import options, output
from leanbe_emitter.cli.invocation.command_classes import group, subcommand
from leanbe_emitter.cli.invocation.invocation import Invocation
from leanbe_emitter.cli.invocation.opening import opened, set_assumptions
from leanbe_emitter.cli.invocation.values import ASSUMPTION
from leanbe_emitter.wire.assumptions.catalogue import ASSUMPTIONS
from leanbe_emitter.wire.assumptions.catalogue import assumption as find

_LIST = [output.column(key) for key in ("name", "value", "question")]
_SHOW = [
    output.column(key)
    for key in ("number", "name", "value", "article", "accepts", "question", "evidence", "note")
]


@group("assumptions", example="leanbe-emitter assumptions list")
def assumptions() -> None:
    """List and set the assumptions of products, where Leanbe's article leaves a question open.

    Every assumption has a name and a value. A product stores those that somebody set; the others
    have the article's value.
    """


@subcommand(assumptions, "list", example="leanbe-emitter assumptions list --product Acme")
@options.assumptions_of
@click.pass_obj
def list_(invocation: Invocation, product: str | None) -> None:
    """List all assumptions, with their values."""
    values = set_assumptions(invocation, product)
    documents = [each.document(values) for each in ASSUMPTIONS if each.name]
    output.rows(invocation.form, documents, columns=_LIST)


@subcommand(assumptions, "show", example="leanbe-emitter assumptions show triggered_at")
@click.argument("name", type=ASSUMPTION)
@options.assumptions_of
@click.pass_obj
def show(invocation: Invocation, name: str, product: str | None) -> None:
    """Show one assumption: the question, the evidence, and what may be set."""
    found = find(name)
    document = found.document(set_assumptions(invocation, product))
    output.record(invocation.form, document, columns=_SHOW)


@subcommand(
    assumptions, "set", example="leanbe-emitter assumptions set max_attempts 1 --product Acme"
)
@click.argument("name", type=ASSUMPTION)
@click.argument("value")
@options.product
@click.pass_obj
def set_(invocation: Invocation, *, name: str, value: str, product: str | None) -> None:
    """Set an assumption of a product."""
    found = find(name)
    with opened(invocation) as leanbe:
        text = leanbe.assumptions.set(name, value, product=product)
    output.record(invocation.form, found.document({name: text}), columns=_LIST)


@subcommand(
    assumptions, "unset", example="leanbe-emitter assumptions unset max_attempts --product Acme"
)
@click.argument("name", type=ASSUMPTION)
@options.product
@click.pass_obj
def unset(invocation: Invocation, name: str, product: str | None) -> None:
    """Reset an assumption of a product to the article's value."""
    found = find(name)
    with opened(invocation) as leanbe:
        leanbe.assumptions.unset(name, product=product)
    output.record(invocation.form, found.document({}), columns=_LIST)
