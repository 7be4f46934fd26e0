"""The commands ``backlog-item ...``: the work on the board."""

import click

from leanbe_emitter.cli.act import resource_commands
from leanbe_emitter.cli.act.action import ActionOptions, with_action_options
from leanbe_emitter.cli.act.field_options import entries, field_options
from leanbe_emitter.cli.act.resource_commands import Resource
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
    filters=("status", "assigned", "idea"),
    fields=(
        *field_options("title", "description", "owner", "assigned"),
        entries("tags", option="--tag", member="title"),
        *field_options("status"),
    ),
)


@group("backlog-item", example="leanbe-emitter backlog-item list")
def backlog_item() -> None:
    """Backlog items: the work on the board."""


resource_commands.add_create(
    backlog_item,
    BACKLOG_ITEMS,
    example='leanbe-emitter backlog-item create --title "Fix the login" --tag bug',
    about="Create a backlog item, with the first of the product's statuses.",
)
resource_commands.add_update(
    backlog_item,
    BACKLOG_ITEMS,
    example='leanbe-emitter backlog-item update a2e505 --title "Dark mode, at last" --status Done',
    about="Change fields of a backlog item. A new status has an event of its own.",
)
resource_commands.add_show(
    backlog_item, BACKLOG_ITEMS, example="leanbe-emitter backlog-item show a2e505 --output json"
)
resource_commands.add_list(
    backlog_item, BACKLOG_ITEMS, example='leanbe-emitter backlog-item list --status "To Do"'
)
resource_commands.add_delete(
    backlog_item,
    BACKLOG_ITEMS,
    example="leanbe-emitter backlog-item delete a2e505",
    about="Delete a backlog item. Its idea stays promoted.",
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
    """Give a backlog item another status of the product."""
    BACKLOG_ITEMS.act(invocation, options, lambda items: items.set_status(reference, status))
