"""The commands ``backlog-item ...``: what is to be done, and how far it is."""

import click

from leanbe_emitter.cli.act import resources
from leanbe_emitter.cli.act.action import ActionOptions, with_action_options
from leanbe_emitter.cli.act.fields import FieldOption, entries, texts, user
from leanbe_emitter.cli.act.resources import Resource, text_filter, user_filter
from leanbe_emitter.cli.invocation import output
from leanbe_emitter.cli.invocation.commands import group, subcommand
from leanbe_emitter.cli.invocation.invocation import Invocation

BACKLOG_ITEMS = Resource(
    name="backlogItem",
    noun="backlog item",
    collection="backlog_items",
    columns=[
        output.column("_id", title="id", short=output.abbreviated),
        output.column("title"),
        output.column("status"),
        output.column("assigned.email", title="assigned"),
        output.column("idea.title", title="idea"),
    ],
    eg=("descriptionHTML=<b>Hi</b>, tags[0].title=ui", "tags=[]"),
    fields=(
        *texts("title", "description"),
        user("owner"),
        user("assigned"),
        entries("tags", option="--tag", member="title"),
        FieldOption(field="status", help='One of the product\'s; see "product statuses".'),
    ),
)


@group("backlog-item", example="leanbe-emitter backlog-item list")
def backlog_item() -> None:
    """Backlog items: work, and its way over the board."""


resources.add_create(
    backlog_item,
    BACKLOG_ITEMS,
    example='leanbe-emitter backlog-item create --title "Fix the login" --tag bug',
    about="Write down a piece of work, at the first of the product's statuses.",
)
resources.add_update(
    backlog_item,
    BACKLOG_ITEMS,
    example='leanbe-emitter backlog-item update a2e505 --title "Dark mode, at last" --status Done',
    about="Change fields of a backlog item; a new status has an event of its own.",
)
resources.add_show(
    backlog_item, BACKLOG_ITEMS, example="leanbe-emitter backlog-item show a2e505 --output json"
)
resources.add_list(
    backlog_item,
    BACKLOG_ITEMS,
    example='leanbe-emitter backlog-item list --status "To Do"',
    filters=[
        text_filter("status", "One of the product's."),
        user_filter("assigned"),
        text_filter("idea", "What they were promoted from.", metavar="ID"),
    ],
)
resources.add_delete(
    backlog_item,
    BACKLOG_ITEMS,
    example="leanbe-emitter backlog-item delete a2e505",
    about="Delete a backlog item; its idea stays promoted.",
)


@subcommand(
    backlog_item,
    "set-status",
    example='leanbe-emitter backlog-item set-status a2e505 "In Progress"',
)
@BACKLOG_ITEMS.argument
@click.argument("status")
@with_action_options
@click.pass_obj
def set_status(
    invocation: Invocation, *, reference: str, status: str, options: ActionOptions
) -> None:
    """Move a backlog item on the board, from any of the product's statuses to any other."""
    BACKLOG_ITEMS.act(invocation, options, lambda items: items.set_status(reference, status))
