"""The commands ``customer ...``: the people who ask and vote."""

from leanbe_emitter.cli.act.field_options import entries, field_options
from leanbe_emitter.cli.act.resource_commands import Resource, Words, add_commands
from leanbe_emitter.cli.invocation import output
from leanbe_emitter.cli.invocation.commands import group
from leanbe_emitter.wire.payloads.declarations import CUSTOMER

_RESOURCE = Resource(
    declaration=CUSTOMER,
    columns=[
        output.column("_id", title="id", short=output.abbreviated),
        output.column("email"),
        output.column("firstName"),
        output.column("lastName"),
        output.column("confirmed"),
    ],
    eg=("company.jobTitle=CTO, addressLine1=1 Main St", "isTemporary=true, devices=[]"),
    fields=(
        *field_options("email", "firstName", "lastName", "phone", "city", "source", "type"),
        entries("notes", option="--note", member="note"),
        *field_options("confirmed"),
    ),
    by="e-mail, id, or six digits of either end of the id",
)


@group("customer", example="leanbe-emitter customer list")
def customer() -> None:
    """Customers: the people who ask and vote."""


add_commands(
    customer,
    _RESOURCE,
    {
        "create": Words(
            about="Create a customer, or add this product to a customer of another product.",
            example="leanbe-emitter customer create --email leo@example.com --first-name Leo "
            "--set country.countryCode=FR",
        ),
        "update": Words(
            about="Change fields of a customer.",
            example="leanbe-emitter customer update ana@example.com --set company.jobTitle=CTO "
            "--unset phone",
        ),
        "show": Words(example="leanbe-emitter customer show ana@example.com --output json"),
        "list": Words(example="leanbe-emitter customer list --confirmed --limit 10"),
        "delete": Words(
            about="Delete a customer in every product, with all votes; requests stay without a "
            "customer.",
            example="leanbe-emitter customer delete ana@example.com",
        ),
        "confirm": Words(example="leanbe-emitter customer confirm ana@example.com"),
    },
)
