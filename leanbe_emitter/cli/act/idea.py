"""The commands ``idea ...``: what is thought of, voted on, and promoted."""

import click

from leanbe_emitter.cli.act import resources
from leanbe_emitter.cli.act.action import ActionOptions, with_action_options
from leanbe_emitter.cli.act.fields import FieldOption, entries, texts, user
from leanbe_emitter.cli.act.resources import Resource, flag_filter, text_filter, user_filter
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
    fields=(
        *texts("title", "description"),
        user("owner"),
        user("assigned"),
        entries("tags", option="--tag", member="title"),
        *texts("visibility"),
        FieldOption(field="archived"),
    ),
    only_new=(
        FieldOption(
            field="requests",
            option="--request",
            metavar="ID",
            help="A new idea request that becomes part of it.",
            item=str,
        ),
    ),
)


@group("idea", example="leanbe-emitter idea list")
def idea() -> None:
    """Ideas: voted on, promoted, archived."""


resources.add_create(
    idea,
    IDEAS,
    example='leanbe-emitter idea create --title "Dark mode" --tag ui --request a2e502',
    about="Write down an idea, out of idea requests or of nothing.",
)
resources.add_update(
    idea,
    IDEAS,
    example="leanbe-emitter idea update a2e504 --assigned bo@example.com --set 'tags[0].title=ui'",
    about="Change fields of an idea: one event, however many they are.",
)
resources.add_show(idea, IDEAS, example="leanbe-emitter idea show a2e504 --output json")
resources.add_list(
    idea,
    IDEAS,
    example="leanbe-emitter idea list --no-promoted --tag ui",
    filters=[
        flag_filter("promoted", "Whether it was taken into the backlog."),
        flag_filter("archived", "Whether it was put away."),
        text_filter("visibility", "Who sees it: public, or another word."),
        text_filter("tag", "Ideas that have this tag."),
        user_filter("owner"),
        user_filter("assigned"),
    ],
)
resources.add_delete(
    idea,
    IDEAS,
    example="leanbe-emitter idea delete a2e504",
    about="Delete an idea: its requests are new again, its backlog items keep its title.",
)


@subcommand(idea, "promote", example="leanbe-emitter idea promote a2e504")
@IDEAS.argument
@with_action_options
@click.pass_obj
def promote(invocation: Invocation, *, reference: str, options: ActionOptions) -> None:
    """Take an idea into the backlog, once and for good; a backlog item is made of it."""
    IDEAS.act(invocation, options, lambda ideas: ideas.promote(reference))


_voter = click.option(
    "--customer", metavar="C", help="E-mail or id of who votes; else nobody does: anonymous."
)


@subcommand(idea, "upvote", example="leanbe-emitter idea upvote a2e504 --customer ana@example.com")
@IDEAS.argument
@_voter
@with_action_options
@click.pass_obj
def upvote(
    invocation: Invocation, *, reference: str, customer: str | None, options: ActionOptions
) -> None:
    """Vote for an idea; a downvote of the same customer is switched."""
    IDEAS.act(invocation, options, lambda ideas: ideas.upvote(reference, customer=customer))


@subcommand(idea, "downvote", example="leanbe-emitter idea downvote a2e504")
@IDEAS.argument
@_voter
@with_action_options
@click.pass_obj
def downvote(
    invocation: Invocation, *, reference: str, customer: str | None, options: ActionOptions
) -> None:
    """Vote against an idea; an upvote of the same customer is switched."""
    IDEAS.act(invocation, options, lambda ideas: ideas.downvote(reference, customer=customer))


@subcommand(
    idea,
    "withdraw-vote",
    example="leanbe-emitter idea withdraw-vote a2e504 --customer bea@example.com",
)
@IDEAS.argument
@click.option("--customer", metavar="C", required=True, help="E-mail or id of who voted.")
@with_action_options
@click.pass_obj
def withdraw_vote(
    invocation: Invocation, *, reference: str, customer: str, options: ActionOptions
) -> None:
    """Take a customer's vote back; no event tells of it."""
    IDEAS.act(invocation, options, lambda ideas: ideas.withdraw_vote(reference, customer=customer))
