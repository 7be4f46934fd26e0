"""The commands ``backlog-item ...``: the work on the board."""

from leanbe_emitter.cli.act.field_options import entries, field_options
from leanbe_emitter.cli.act.resource_commands import Resource, Words, add_commands
from leanbe_emitter.cli.invocation import output
from leanbe_emitter.cli.invocation.commands import group
from leanbe_emitter.wire.payloads.declarations import BACKLOG_ITEM

_RESOURCE = Resource(
    declaration=BACKLOG_ITEM,
    columns=[
        output.column("_id", title="id", short=output.abbreviated),
        output.column("title"),
        output.column("status"),
        output.column("assigned.email", title="assigned"),
        output.column("idea.title", title="idea"),
    ],
    eg=("descriptionHTML=<b>Hi</b>, tags[0].title=ui", "tags=[]"),
    fields=(
        *field_options("title", "description", "owner", "assigned"),
        entries("tags", option="--tag", member="title"),
        *field_options("status"),
    ),
)


@group("backlog-item", example="leanbe-emitter backlog-item list")
def backlog_item() -> None:
    """Backlog items: the work on the board."""


add_commands(
    backlog_item,
    _RESOURCE,
    {
        "create": Words(
            about="Create a backlog item, with the first of the product's statuses.",
            example='leanbe-emitter backlog-item create --title "Fix the login" --tag bug',
        ),
        "update": Words(
            about="Change fields of a backlog item. A new status has an event of its own.",
            example='leanbe-emitter backlog-item update a2e505 --title "Dark mode, at last" '
            "--status Done",
        ),
        "show": Words(example="leanbe-emitter backlog-item show a2e505 --output json"),
        "list": Words(example='leanbe-emitter backlog-item list --status "To Do"'),
        "delete": Words(
            about="Delete a backlog item. Its idea stays promoted.",
            example="leanbe-emitter backlog-item delete a2e505",
        ),
        "set-status": Words(
            example='leanbe-emitter backlog-item set-status a2e505 "In Progress"', is_by_word=True
        ),
    },
)
