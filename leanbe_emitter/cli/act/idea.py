"""The commands ``idea ...``: create, vote, promote, archive."""

from typing import Any

import click

from leanbe_emitter.cli.act.field_options import FieldOption, entries, field_options
from leanbe_emitter.cli.act.resource_commands import Resource, Words, add_commands
from leanbe_emitter.cli.invocation import completion, output, shared_options
from leanbe_emitter.cli.invocation.commands import group, subcommand
from leanbe_emitter.cli.invocation.invocation import Invocation
from leanbe_emitter.wire.payloads.declarations import IDEA

_RESOURCE = Resource(
    declaration=IDEA,
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


_VOTES = [output.column("customer"), output.column("kind"), output.column("at")]

add_commands(
    idea,
    _RESOURCE,
    {
        "create": Words(
            about="Create an idea, from idea requests if you name some.",
            example='leanbe-emitter idea create --title "Dark mode" --tag ui --request a2e502',
        ),
        "update": Words(
            about="Change fields of an idea, all in one event.",
            example="leanbe-emitter idea update a2e504 --assigned bo@example.com "
            "--set 'tags[0].title=ui'",
        ),
        "show": Words(example="leanbe-emitter idea show a2e504 --output json"),
        "list": Words(example="leanbe-emitter idea list --no-promoted --tag ui"),
        "delete": Words(
            about="Delete an idea. Its requests are new again, and its backlog items keep its "
            "title.",
            example="leanbe-emitter idea delete a2e504",
        ),
        "promote": Words(example="leanbe-emitter idea promote a2e504"),
        "upvote": Words(example="leanbe-emitter idea upvote a2e504 --customer ana@example.com"),
        "downvote": Words(example="leanbe-emitter idea downvote a2e504"),
        "withdraw-vote": Words(
            example="leanbe-emitter idea withdraw-vote a2e504 --customer bea@example.com"
        ),
    },
)


@subcommand(idea, "votes", example="leanbe-emitter idea votes a2e504")
@click.argument("reference", metavar="IDEA", shell_complete=completion.documents("ideas"))
@shared_options.product
@shared_options.limit
@shared_options.after
@click.pass_obj
def votes(
    invocation: Invocation, reference: str, *, product: str | None, limit: int, after: str | None
) -> None:
    """List the votes for and against an idea, the oldest first."""
    with invocation.open_documents() as documents:
        ideas: Any = documents.of(product, IDEA.collection)
        page = ideas.votes(reference, limit=limit, after=after)
        invocation.print_page(page, _VOTES)
