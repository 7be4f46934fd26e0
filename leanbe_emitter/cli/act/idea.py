"""The commands ``idea ...``: create, vote, promote, archive."""

import click

from leanbe_emitter.cli.act import resource_commands
from leanbe_emitter.cli.act.action import ActionOptions, with_action_options
from leanbe_emitter.cli.act.field_options import FieldOption, entries, field_options
from leanbe_emitter.cli.act.resource_commands import Resource
from leanbe_emitter.cli.invocation import output
from leanbe_emitter.cli.invocation.commands import group, subcommand
from leanbe_emitter.cli.invocation.invocation import Invocation

IDEAS = Resource(
    name="idea",
    noun="idea",
    collection="ideas",
    columns=[
        output.column("_id", title="id", short=output.abbreviated),
        output.column("title"),
        output.column("upvotes"),
        output.column("promoted"),
        output.column("archived"),
        output.column("visibility"),
    ],
    eg=("descriptionHTML=<b>Hi</b>, tags[0].title=ui", "tags=[], archived=true"),
    filters=("promoted", "archived", "visibility", "tag", "owner", "assigned"),
    fields=(
        *field_options("title", "description", "owner", "assigned"),
        entries("tags", option="--tag", member="title"),
        *field_options("visibility", "archived"),
    ),
    only_new=(
        FieldOption(
            field="requests",
            option="--request",
            metavar="ID",
            help="A new idea request to attach.",
            item=str,
        ),
    ),
)


@group("idea", example="leanbe-emitter idea list")
def idea() -> None:
    """Ideas: people vote on them, and the team promotes them."""


resource_commands.add_create(
    idea,
    IDEAS,
    example='leanbe-emitter idea create --title "Dark mode" --tag ui --request a2e502',
    about="Create an idea, from idea requests if you name some.",
)
resource_commands.add_update(
    idea,
    IDEAS,
    example="leanbe-emitter idea update a2e504 --assigned bo@example.com --set 'tags[0].title=ui'",
    about="Change fields of an idea, all in one event.",
)
resource_commands.add_show(idea, IDEAS, example="leanbe-emitter idea show a2e504 --output json")
resource_commands.add_list(idea, IDEAS, example="leanbe-emitter idea list --no-promoted --tag ui")
resource_commands.add_delete(
    idea,
    IDEAS,
    example="leanbe-emitter idea delete a2e504",
    about="Delete an idea. Its requests are new again, and its backlog items keep its title.",
)
resource_commands.add_verb(
    idea,
    IDEAS,
    "promote",
    example="leanbe-emitter idea promote a2e504",
    about="Promote an idea to the backlog, which creates a backlog item.",
)


_voter = click.option(
    "--customer",
    metavar="C",
    help="Voter: e-mail or id of a customer; without it, the vote is anonymous.",
)


@subcommand(idea, "upvote", example="leanbe-emitter idea upvote a2e504 --customer ana@example.com")
@IDEAS.argument
@_voter
@with_action_options
@click.pass_obj
def upvote(
    invocation: Invocation, *, reference: str, customer: str | None, options: ActionOptions
) -> None:
    """Vote for an idea. A downvote of the same customer becomes an upvote."""
    IDEAS.act(invocation, options, lambda ideas: ideas.upvote(reference, customer=customer))


@subcommand(idea, "downvote", example="leanbe-emitter idea downvote a2e504")
@IDEAS.argument
@_voter
@with_action_options
@click.pass_obj
def downvote(
    invocation: Invocation, *, reference: str, customer: str | None, options: ActionOptions
) -> None:
    """Vote against an idea. An upvote of the same customer becomes a downvote."""
    IDEAS.act(invocation, options, lambda ideas: ideas.downvote(reference, customer=customer))


@subcommand(
    idea,
    "withdraw-vote",
    example="leanbe-emitter idea withdraw-vote a2e504 --customer bea@example.com",
)
@IDEAS.argument
@click.option("--customer", metavar="C", required=True, help="Voter: e-mail or id of a customer.")
@with_action_options
@click.pass_obj
def withdraw_vote(
    invocation: Invocation, *, reference: str, customer: str, options: ActionOptions
) -> None:
    """Withdraw a customer's vote. Leanbe has no event for it."""
    IDEAS.act(invocation, options, lambda ideas: ideas.withdraw_vote(reference, customer=customer))
