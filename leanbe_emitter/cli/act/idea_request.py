"""The commands ``idea-request ...``: what customers ask for."""

from leanbe_emitter.cli.act.field_options import FieldOption, field_options
from leanbe_emitter.cli.act.resource_commands import Resource, Words, add_commands
from leanbe_emitter.cli.invocation import output
from leanbe_emitter.cli.invocation.commands import group
from leanbe_emitter.wire.payloads.declarations import IDEA_REQUEST

_RESOURCE = Resource(
    declaration=IDEA_REQUEST,
    columns=[
        output.column("_id", title="id", short=output.abbreviated),
        output.column("title"),
        output.column("status"),
        output.column("customer.email", title="customer"),
        output.column("idea.title", title="idea"),
    ],
    eg=("descriptionHTML=<b>Hi</b>", 'source="Widget"'),
    fields=(
        *field_options("title", "description"),
        FieldOption(
            field="customer",
            metavar="C",
            help="E-mail or id of the customer who asks; an unknown e-mail creates a customer.",
        ),
        *field_options("source"),
    ),
)


@group("idea-request", example="leanbe-emitter idea-request list --status new")
def idea_request() -> None:
    """Idea requests: what customers ask for."""


add_commands(
    idea_request,
    _RESOURCE,
    {
        "create": Words(
            about="Create an idea request.",
            example='leanbe-emitter idea-request create --title "Dark mode please" '
            "--customer new@example.com --source Portal",
        ),
        "show": Words(example="leanbe-emitter idea-request show a2e502 --output json"),
        "list": Words(
            example="leanbe-emitter idea-request list --status new --customer ana@example.com"
        ),
        "attach": Words(example="leanbe-emitter idea-request attach a2e502 --idea a2e504"),
        "ignore": Words(example="leanbe-emitter idea-request ignore a2e502"),
    },
)
