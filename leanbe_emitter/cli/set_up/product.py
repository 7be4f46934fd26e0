"""The commands ``product ...``: products, each with its webhook and its documents."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from leanbe_emitter.cli.invocation import completion, output, shared_options
from leanbe_emitter.cli.invocation.commands import group, subcommand
from leanbe_emitter.cli.invocation.confirmation import confirm, numbers
from leanbe_emitter.cli.invocation.invocation import Invocation
from leanbe_emitter.cli.invocation.output import Document
from leanbe_emitter.cli.invocation.param_types import TEXTS, as_mapping

if TYPE_CHECKING:
    from leanbe_emitter.library import Product

COLUMNS = [
    output.column("_id", title="id", short=output.abbreviated),
    output.column("name"),
    output.column("webhook.url", title="url"),
]
_CREATED = [*COLUMNS, output.column("webhook.secret", title="secret")]
_SHOWN = [*COLUMNS, output.column("assumptions")]


@group("product", example="leanbe-emitter product list")
def product() -> None:
    """Products, each with its webhook and its documents."""


@subcommand(
    product,
    "create",
    example="leanbe-emitter product create Globex "
    "--webhook-url http://127.0.0.1:8000/hooks/leanbe --secret whsec_test",
)
@click.argument("name")
@click.option("--webhook-url", metavar="URL", help="Receiver of the product's events.")
@shared_options.secret
@shared_options.headers
@shared_options.certificate_options
@click.option(
    "--owner-email", metavar="E", help="E-mail of the first user, the default owner of documents."
)
@click.option("--owner-first-name", metavar="F", help="The first user's first name in payloads.")
@shared_options.assume
@click.pass_obj
def create(  # noqa: PLR0913 - one argument for each option
    invocation: Invocation,
    *,
    name: str,
    webhook_url: str | None,
    secret: str | None,
    headers: tuple[tuple[str, str], ...],
    ca_file: str | None,
    insecure: bool,
    owner_email: str | None,
    owner_first_name: str | None,
    assume: tuple[tuple[str, str], ...],
) -> None:
    """Create a product, with a webhook if you give a URL.

    Prints the secret; "webhook secret" prints it again.
    """
    with invocation.open_leanbe() as leanbe:
        made = leanbe.products.create(
            name,
            webhook_url=webhook_url,
            secret=secret,
            headers=headers or None,
            ca_file=ca_file,
            insecure=insecure or None,
            owner=_owner(owner_email, owner_first_name),
            assume=as_mapping(assume),
        )
    output.print_document(invocation.output_format, _with_secret(made), columns=_CREATED)


@subcommand(product, "list", example="leanbe-emitter product list")
@click.pass_obj
def list_(invocation: Invocation) -> None:
    """List all products, the oldest first."""
    with invocation.open_leanbe() as leanbe:
        documents = [each.document() for each in leanbe.products.list()]
    output.print_rows(invocation.output_format, documents, columns=COLUMNS)


@subcommand(product, "show", example="leanbe-emitter product show Acme")
@click.argument("product", metavar="P", shell_complete=completion.PRODUCTS)
@click.pass_obj
def show(invocation: Invocation, product: str) -> None:
    """Show one product: by name, by id, or by six digits of either end of the id."""
    with invocation.open_leanbe() as leanbe:
        document = leanbe.products.get(product).document()
    output.print_document(invocation.output_format, document, columns=_SHOWN)


@subcommand(product, "rename", example='leanbe-emitter product rename Acme "Acme Inc."')
@click.argument("product", metavar="P", shell_complete=completion.PRODUCTS)
@click.argument("name")
@click.pass_obj
def rename(invocation: Invocation, product: str, name: str) -> None:
    """Rename a product. Later payloads show the new name."""
    with invocation.open_leanbe() as leanbe:
        document = leanbe.products.rename(product, name).document()
    output.print_document(invocation.output_format, document, columns=COLUMNS)


@subcommand(product, "delete", example="leanbe-emitter product delete Acme")
@click.argument("product", metavar="P", shell_complete=completion.PRODUCTS)
@shared_options.yes
@click.pass_obj
def delete(invocation: Invocation, *, product: str, yes: bool) -> None:
    """Delete a product with all its content, including pending deliveries."""
    with invocation.open_leanbe() as leanbe:
        gone = leanbe.products.get(product)
        confirm(lambda: _what_goes(gone, leanbe.row_counts(product=gone)), yes=yes)
        leanbe.products.delete(gone)
    invocation.notice(f"Deleted the product {gone.name!r} ({gone.id}).")


@subcommand(
    product, "statuses", example='leanbe-emitter product statuses Acme --set "To Do,Doing,Done"'
)
@click.argument("product", metavar="P", shell_complete=completion.PRODUCTS)
@click.option(
    "--set",
    "wanted",
    type=TEXTS,
    metavar="A,B,...",
    help="The whole new list, in order; new backlog items have the first status.",
)
@click.pass_obj
def statuses(invocation: Invocation, *, product: str, wanted: Sequence[str] | None) -> None:
    """List the statuses of a product's backlog items, or set them."""
    with invocation.open_leanbe() as leanbe:
        found = leanbe.products.get(product)
        if wanted is not None:
            found = leanbe.products.set_statuses(found, wanted)
    documents = [{"status": status} for status in found.statuses]
    output.print_rows(invocation.output_format, documents, columns=[output.column("status")])


def _what_goes(product: "Product", counts: Mapping[str, int]) -> str:
    content = numbers({**counts, "product": 0})
    return f"This deletes the product {product.name!r} with all its content: {content or 'none'}."


def _owner(email: str | None, first_name: str | None) -> dict[str, str]:
    """Return the given fields of a product's first user."""
    owner = {"email": email, "first_name": first_name}
    return {name: each for name, each in owner.items() if each is not None}


def _with_secret(product: "Product") -> Document:
    document = product.document()
    if product.webhook.secret is None:
        return document
    return {**document, "webhook": {**document["webhook"], "secret": product.webhook.secret}}
