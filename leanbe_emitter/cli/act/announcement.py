"""The commands ``announcement ...``: news for customers."""

from leanbe_emitter.cli.act import resource_commands
from leanbe_emitter.cli.act.field_options import entries, field_options
from leanbe_emitter.cli.act.resource_commands import Resource
from leanbe_emitter.cli.invocation import output
from leanbe_emitter.cli.invocation.commands import group

ANNOUNCEMENTS = Resource(
    name="announcement",
    noun="announcement",
    collection="announcements",
    columns=[
        output.column("_id", title="id", short=output.abbreviated),
        output.column("title"),
        output.column("status"),
        output.column("publishedAt", title="published", short=output.format_local_time),
    ],
    eg=("descriptionHTML=<b>Hi</b>, categories[0].title=New", "categories=[]"),
    filters=("status",),
    fields=(
        *field_options("title", "description", "owner"),
        entries("categories", option="--category", member="title"),
        *field_options("status"),
    ),
)


@group("announcement", example="leanbe-emitter announcement list")
def announcement() -> None:
    """Announcements: news for customers."""


resource_commands.add_create(
    announcement,
    ANNOUNCEMENTS,
    example='leanbe-emitter announcement create --title "Dark mode is here" '
    '--category "New feature" --status published',
    about="Create an announcement, as a draft or published at once.",
)
resource_commands.add_update(
    announcement,
    ANNOUNCEMENTS,
    example='leanbe-emitter announcement update a2e509 --description "Try it: it is dark."',
    about="Change fields of an announcement.",
)
resource_commands.add_show(
    announcement, ANNOUNCEMENTS, example="leanbe-emitter announcement show a2e509 --output json"
)
resource_commands.add_list(
    announcement, ANNOUNCEMENTS, example="leanbe-emitter announcement list --status draft"
)
resource_commands.add_delete(
    announcement,
    ANNOUNCEMENTS,
    example="leanbe-emitter announcement delete a2e509",
    about="Delete an announcement.",
)
resource_commands.add_verb(
    announcement,
    ANNOUNCEMENTS,
    "publish",
    example="leanbe-emitter announcement publish a2e509",
    about="Publish an announcement. The event is announcement.updated.",
)
resource_commands.add_verb(
    announcement,
    ANNOUNCEMENTS,
    "unpublish",
    example="leanbe-emitter announcement unpublish a2e509",
    about="Make an announcement a draft again. The event is announcement.updated.",
)
