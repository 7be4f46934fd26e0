"""The commands ``webhook ...``: the URL of a product's receiver, and its secret."""

from typing import TYPE_CHECKING

import click

from leanbe_emitter.cli.invocation import output, shared_options
from leanbe_emitter.cli.invocation.attempt_printer import printing_attempts
from leanbe_emitter.cli.invocation.commands import group, subcommand
from leanbe_emitter.cli.invocation.invocation import Invocation, select_product
from leanbe_emitter.errors import NotFound
from leanbe_emitter.header_rules import MASK
from leanbe_emitter.hints import SET_WEBHOOK

if TYPE_CHECKING:
    from leanbe_emitter.cli.invocation.output import Document
    from leanbe_emitter.library import Product, Webhook

_COLUMNS = [
    output.column("product"),
    output.column("url"),
    output.column("secret"),
    output.column("headers"),
    output.column("caFile"),
    output.column("insecure"),
]


@group("webhook", example="leanbe-emitter webhook show --product Acme")
def webhook() -> None:
    """A product's webhook: its URL and secret.

    The first URL generates the secret. Later URLs and "clear" keep it.
    """


@subcommand(
    webhook,
    "set",
    example="leanbe-emitter webhook set http://127.0.0.1:8000/hooks/leanbe --product Acme",
)
@click.argument("url")
@shared_options.product
@shared_options.secret
@shared_options.headers
@click.option("--no-headers", is_flag=True, help="Send no additional headers any more.")
@shared_options.certificate_options
@click.option(
    "--secure", is_flag=True, help="Verify certificates by the system's authorities again."
)
@click.pass_obj
def set_(  # noqa: PLR0913 - one argument for each option
    invocation: Invocation,
    *,
    product: str | None,
    url: str,
    secret: str | None,
    headers: tuple[tuple[str, str], ...],
    no_headers: bool,
    ca_file: str | None,
    insecure: bool,
    secure: bool,
) -> None:
    """Set the URL of a product's receiver; prints a new secret.

    Options that you leave out stay as they are.
    """
    if bool(ca_file) + insecure + secure > 1:
        raise click.UsageError(
            "--ca-file, --insecure and --secure contradict each other: give one of them."
        )
    if headers and no_headers:
        raise click.UsageError("--header and --no-headers contradict each other.")
    with invocation.open_leanbe() as leanbe:
        before = select_product(leanbe, product)
        after = leanbe.webhooks.set(
            before,
            url,
            secret=secret,
            headers=() if no_headers else headers or None,
            ca_file=ca_file,
            insecure=False if secure else insecure or None,
        )
    is_new = after.secret != before.webhook.secret
    _show(invocation, before, after, with_secret=is_new)


@subcommand(webhook, "show", example="leanbe-emitter webhook show --product Acme")
@shared_options.product
@click.pass_obj
def show(invocation: Invocation, product: str | None) -> None:
    """Show a product's webhook, with its secret masked."""
    with invocation.open_leanbe() as leanbe:
        found = select_product(leanbe, product)
    _show(invocation, found, found.webhook, with_secret=False)


@subcommand(webhook, "secret", example="leanbe-emitter webhook secret --product Acme")
@shared_options.product
@click.pass_obj
def secret(invocation: Invocation, product: str | None) -> None:
    """Print only a product's secret."""
    with invocation.open_leanbe() as leanbe:
        found = select_product(leanbe, product)
    if found.webhook.secret is None:
        raise NotFound(
            f"The product {found.name!r} has no secret yet.",
            hint=SET_WEBHOOK.between("It gets one with its first URL: ", "."),
        )
    output.print_text(found.webhook.secret)


@subcommand(webhook, "rotate", example="leanbe-emitter webhook rotate --product Acme")
@shared_options.product
@shared_options.secret
@click.pass_obj
def rotate(invocation: Invocation, product: str | None, secret: str | None) -> None:
    """Sign new events with another secret. Pending deliveries keep their signature."""
    with invocation.open_leanbe() as leanbe:
        found = select_product(leanbe, product)
        after = leanbe.webhooks.rotate(found, secret=secret)
    _show(invocation, found, after, with_secret=True)


@subcommand(webhook, "clear", example="leanbe-emitter webhook clear --product Acme")
@shared_options.product
@click.pass_obj
def clear(invocation: Invocation, product: str | None) -> None:
    """Stop deliveries: delete the URL and cancel pending deliveries; the secret stays."""
    with invocation.open_leanbe() as leanbe:
        found = select_product(leanbe, product)
        after = leanbe.webhooks.clear(found)
    _show(invocation, found, after, with_secret=False)


@subcommand(webhook, "test", example="leanbe-emitter webhook test --product Acme")
@shared_options.product
@click.pass_obj
def test(invocation: Invocation, product: str | None) -> None:
    """Send a sample event (customer.created) to a product's webhook, and show the attempt."""
    with invocation.open_leanbe() as leanbe, printing_attempts(invocation) as watcher:
        leanbe.trigger("customer.created", product=product, watcher=watcher)


def _show(
    invocation: Invocation, product: "Product", webhook: "Webhook", *, with_secret: bool
) -> None:
    document: Document = {"product": product.name, **webhook.document()}
    if webhook.secret is not None:
        document = {**document, "secret": webhook.secret if with_secret else MASK}
    output.print_document(invocation.output_format, document, columns=_COLUMNS)
