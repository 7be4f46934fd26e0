"""The command ``reset``: delete everything, or the content of one product."""

import click

from leanbe_emitter.cli.invocation.commands import command
from leanbe_emitter.cli.invocation.invocation import Invocation
from leanbe_emitter.cli.invocation.opening import open_leanbe


@command("reset", example="leanbe-emitter reset --product Acme")
@click.option("--product", metavar="P", help="Only the content of this product; its settings stay.")
@click.pass_obj
def reset(invocation: Invocation, product: str | None) -> None:
    """Delete everything, or the content of one product; faults too.

    The database gets the content of its seed file again (serve --seed-file). Other processes finish
    their attempts in flight, which change nothing any more.
    """
    with open_leanbe(invocation) as leanbe:
        if product is None:
            leanbe.reset()
            invocation.notice("Deleted everything.")
            if (planted := leanbe.seeds.name()) is not None:
                invocation.notice(f"Planted {planted} again.")
        else:
            emptied = leanbe.products.reset(product)
            invocation.notice(f"Deleted the content of the product {emptied.name!r}.")
