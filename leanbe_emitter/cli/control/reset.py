"""The command ``reset``: everything goes, or what one product has."""

import click

from leanbe_emitter.cli.invocation.commands import command
from leanbe_emitter.cli.invocation.invocation import Invocation
from leanbe_emitter.cli.invocation.opening import open_leanbe


@command("reset", example="leanbe-emitter reset --product Acme")
@click.option("--product", metavar="P", help="Only what this one has; it keeps its settings.")
@click.pass_obj
def reset(invocation: Invocation, product: str | None) -> None:
    """Delete everything, or what one product has; faults too.

    What the database's seed file has is there again (serve --seed-file). What other processes have
    in flight is not broken off, and changes nothing any more.
    """
    with open_leanbe(invocation) as leanbe:
        if product is None:
            leanbe.reset()
            invocation.notice("Deleted everything.")
            if (planted := leanbe.seeds.name()) is not None:
                invocation.notice(f"Planted {planted} again.")
        else:
            kept = leanbe.products.reset(product)
            invocation.notice(f"Deleted what the product {kept.name!r} had.")
