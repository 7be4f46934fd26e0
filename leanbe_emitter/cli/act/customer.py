"""The commands ``customer ...``: the people who ask and vote."""

from leanbe_emitter.cli.act import resource_commands
from leanbe_emitter.cli.act.field_options import entries, field_options
from leanbe_emitter.cli.act.resource_commands import Resource
from leanbe_emitter.cli.invocation import output
from leanbe_emitter.cli.invocation.commands import group

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
    filters=("email", "confirmed"),
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


resource_commands.add_create(
    customer,
    CUSTOMERS,
    example="leanbe-emitter customer create --email leo@example.com --first-name Leo "
    "--set country.countryCode=FR",
    about="Create a customer, or add this product to a customer of another product.",
)
resource_commands.add_update(
    customer,
    CUSTOMERS,
    example="leanbe-emitter customer update ana@example.com --set company.jobTitle=CTO "
    "--unset phone",
    about="Change fields of a customer.",
)
resource_commands.add_show(
    customer, CUSTOMERS, example="leanbe-emitter customer show ana@example.com --output json"
)
resource_commands.add_list(
    customer, CUSTOMERS, example="leanbe-emitter customer list --confirmed --limit 10"
)
resource_commands.add_delete(
    customer,
    CUSTOMERS,
    example="leanbe-emitter customer delete ana@example.com",
    about="Delete a customer in every product, with all votes; requests stay without a customer.",
)
resource_commands.add_verb(
    customer,
    CUSTOMERS,
    "confirm",
    example="leanbe-emitter customer confirm ana@example.com",
    about="Mark a customer's e-mail as verified.",
)
