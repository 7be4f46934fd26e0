"""The commands ``user ...``: the members of a product's team."""

import click

from leanbe_emitter.cli.invocation import completion, output, shared_options
from leanbe_emitter.cli.invocation.commands import group, subcommand
from leanbe_emitter.cli.invocation.invocation import Invocation, select_product

_COLUMNS = [
    output.column("_id", title="id", short=output.abbreviated),
    output.column("firstName"),
    output.column("email"),
]


@group("user", example="leanbe-emitter user list")
def user() -> None:
    """Users: the members of a product's team."""


@subcommand(
    user, "create", example="leanbe-emitter user create --email ana@example.com --first-name Ana"
)
@shared_options.product
@click.option("--email", required=True, metavar="E", help="E-mail, unique in a product.")
@click.option("--first-name", required=True, metavar="F", help="First name, as payloads show it.")
@click.pass_obj
def create(invocation: Invocation, *, product: str | None, email: str, first_name: str) -> None:
    """Create a user with access to a product."""
    with invocation.open_leanbe() as leanbe:
        members = select_product(leanbe, product).users
        document = members.create(email=email, first_name=first_name).document()
    output.print_document(invocation.output_format, document, columns=_COLUMNS)


@subcommand(user, "list", example="leanbe-emitter user list --product Acme")
@shared_options.product
@click.pass_obj
def list_(invocation: Invocation, product: str | None) -> None:
    """List the users of a product."""
    with invocation.open_leanbe() as leanbe:
        documents = [each.document() for each in select_product(leanbe, product).users.list()]
    output.print_rows(invocation.output_format, documents, columns=_COLUMNS)


@subcommand(user, "show", example="leanbe-emitter user show bo@example.com")
@click.argument("user", metavar="U", shell_complete=completion.documents("users"))
@shared_options.product
@click.pass_obj
def show(invocation: Invocation, user: str, product: str | None) -> None:
    """Show a user of a product, by e-mail or id."""
    with invocation.open_leanbe() as leanbe:
        document = select_product(leanbe, product).users.get(user).document()
    output.print_document(invocation.output_format, document, columns=_COLUMNS)


@subcommand(user, "grant", example="leanbe-emitter user grant bo@example.com --product Initech")
@click.argument("user", metavar="U", shell_complete=completion.documents("users"))
@shared_options.product
@click.pass_obj
def grant(invocation: Invocation, user: str, product: str | None) -> None:
    """Give a user access to a further product, by e-mail or id."""
    with invocation.open_leanbe() as leanbe:
        further = select_product(leanbe, product)
        document = leanbe.users.grant(user, product=further).document()
    output.print_document(invocation.output_format, document, columns=_COLUMNS)
