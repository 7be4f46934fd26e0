"""The commands ``idea-request ...``: what customers ask for."""

import click

from leanbe_emitter.cli.act import resource_commands
from leanbe_emitter.cli.act.action import ActionOptions, with_action_options
from leanbe_emitter.cli.act.field_options import FieldOption, field_options
from leanbe_emitter.cli.act.resource_commands import Resource
from leanbe_emitter.cli.invocation import output
from leanbe_emitter.cli.invocation.commands import group, subcommand
from leanbe_emitter.cli.invocation.invocation import Invocation

IDEA_REQUESTS = Resource(
    name="ideaRequest",
    noun="idea request",
    collection="idea_requests",
    columns=[
        output.column("_id", title="id", short=output.abbreviated),
        output.column("title"),
        output.column("status"),
        output.column("customer.email", title="customer"),
        output.column("idea.title", title="idea"),
    ],
    eg=("descriptionHTML=<b>Hi</b>", 'source="Widget"'),
    filters=("status", "customer", "idea"),
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


resource_commands.add_create(
    idea_request,
    IDEA_REQUESTS,
    example='leanbe-emitter idea-request create --title "Dark mode please" '
    "--customer new@example.com --source Portal",
    about="Create an idea request.",
)
resource_commands.add_show(
    idea_request, IDEA_REQUESTS, example="leanbe-emitter idea-request show a2e502 --output json"
)
resource_commands.add_list(
    idea_request,
    IDEA_REQUESTS,
    example="leanbe-emitter idea-request list --status new --customer ana@example.com",
)


@subcommand(
    idea_request, "attach", example="leanbe-emitter idea-request attach a2e502 --idea a2e504"
)
@IDEA_REQUESTS.argument
@click.option("--idea", metavar="ID", required=True, help="The idea to attach it to.")
@with_action_options
@click.pass_obj
def attach(invocation: Invocation, *, reference: str, idea: str, options: ActionOptions) -> None:
    """Attach a new idea request to an idea."""
    IDEA_REQUESTS.act(invocation, options, lambda requests: requests.attach(reference, idea=idea))


resource_commands.add_verb(
    idea_request,
    IDEA_REQUESTS,
    "ignore",
    example="leanbe-emitter idea-request ignore a2e502",
    about="Ignore a new idea request. This is final.",
)
