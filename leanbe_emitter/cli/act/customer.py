"""The commands ``customer ...``: who asks and votes."""

import click

from leanbe_emitter.cli.act import resources
from leanbe_emitter.cli.act.action import ActionOptions, with_action_options
from leanbe_emitter.cli.act.fields import FieldOption, entries, texts
from leanbe_emitter.cli.act.resources import Resource, flag_filter, text_filter
from leanbe_emitter.cli.invocation import output
from leanbe_emitter.cli.invocation.commands import group, subcommand
from leanbe_emitter.cli.invocation.invocation import Invocation

CUSTOMERS = Resource(
    name="customer",
    noun="customer",
    collection="customers",
    columns=[
        output.column("_id", title="id", short=output.abbreviated),
        output.column("email"),
        output.column("firstName"),
        output.column("lastName"),
        output.column("confirmed"),
    ],
    eg=("company.jobTitle=CTO, addressLine1=1 Main St", "isTemporary=true, devices=[]"),
    fields=(
        *texts("email", "firstName", "lastName", "phone", "city", "source", "type"),
        entries("notes", option="--note", member="note"),
        FieldOption(field="confirmed"),
    ),
    by="e-mail, id, or six digits of either end of the id",
)


@group("customer", example="leanbe-emitter customer list")
def customer() -> None:
    """Customers: who asks, and votes."""


resources.add_create(
    customer,
    CUSTOMERS,
    example="leanbe-emitter customer create --email leo@example.com --first-name Leo "
    "--set country.countryCode=FR",
    about="Make a customer; one whom another product knows gains this product.",
)
resources.add_update(
    customer,
    CUSTOMERS,
    example="leanbe-emitter customer update ana@example.com --set company.jobTitle=CTO "
    "--unset phone",
    about="Change what is known of a customer.",
)
resources.add_show(
    customer, CUSTOMERS, example="leanbe-emitter customer show ana@example.com --output json"
)
resources.add_list(
    customer,
    CUSTOMERS,
    example="leanbe-emitter customer list --confirmed --limit 10",
    filters=[
        text_filter("email", "The one of this e-mail.", metavar="E"),
        flag_filter("confirmed", "Whether the e-mail was verified."),
    ],
)
resources.add_delete(
    customer,
    CUSTOMERS,
    example="leanbe-emitter customer delete ana@example.com",
    about="Delete a customer in every product; votes go, requests lose their customer.",
)


@subcommand(customer, "confirm", example="leanbe-emitter customer confirm ana@example.com")
@CUSTOMERS.argument
@with_action_options
@click.pass_obj
def confirm(invocation: Invocation, *, reference: str, options: ActionOptions) -> None:
    """Note that a customer's e-mail was verified."""
    CUSTOMERS.act(invocation, options, lambda customers: customers.confirm(reference))
