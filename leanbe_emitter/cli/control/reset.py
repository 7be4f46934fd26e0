"""The command ``reset``: delete everything, or the content of one product."""

from typing import TYPE_CHECKING

import click

from leanbe_emitter.cli.invocation import shared_options
from leanbe_emitter.cli.invocation.commands import command
from leanbe_emitter.cli.invocation.confirmation import confirm, numbers
from leanbe_emitter.cli.invocation.invocation import Invocation

if TYPE_CHECKING:
    from leanbe_emitter.library import Leanbe


@command("reset", example="leanbe-emitter reset --product Acme")
@shared_options.product_option("Only the content of this product; its settings stay.")
@shared_options.yes
@click.pass_obj
def reset(invocation: Invocation, *, product: str | None, yes: bool) -> None:
    """Delete everything, or the content of one product; faults too.

    The database gets the content of its seed file again (serve --seed-file). Other processes finish
    their attempts in flight, which change nothing any more.
    """
    with invocation.open_leanbe() as leanbe:
        confirm(lambda: _what(leanbe, product), yes=yes)
        if product is None:
            leanbe.reset()
            invocation.notice("Deleted everything.")
            if (planted := leanbe.seeds.name()) is not None:
                invocation.notice(f"Planted {planted} again.")
        else:
            emptied = leanbe.products.reset(product)
            invocation.notice(f"Deleted the content of the product {emptied.name!r}.")


def _what(leanbe: "Leanbe", product: str | None) -> str:
    """Say what a reset deletes; nothing if there is nothing."""
    if product is None:
        there = numbers(leanbe.row_counts())
        return there and f"This deletes everything in {leanbe.db}: {there}."
    found = leanbe.products.get(product)
    # The product itself stays.
    there = numbers({**leanbe.row_counts(product=found), "product": 0})
    return there and f"This deletes the content of the product {found.name!r}: {there}."
