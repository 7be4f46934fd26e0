"""The commands ``announcement ...``: news for customers."""

from leanbe_emitter.cli.act import resources
from leanbe_emitter.cli.act.fields import entries, field_options
from leanbe_emitter.cli.act.resources import Resource
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


resources.add_create(
    announcement,
    ANNOUNCEMENTS,
    example='leanbe-emitter announcement create --title "Dark mode is here" '
    '--category "New feature" --status published',
    about="Create an announcement, as a draft or published at once.",
)
resources.add_update(
    announcement,
    ANNOUNCEMENTS,
    example='leanbe-emitter announcement update a2e509 --description "Try it: it is dark."',
    about="Change fields of an announcement.",
)
resources.add_show(
    announcement, ANNOUNCEMENTS, example="leanbe-emitter announcement show a2e509 --output json"
)
resources.add_list(
    announcement, ANNOUNCEMENTS, example="leanbe-emitter announcement list --status draft"
)
resources.add_delete(
    announcement,
    ANNOUNCEMENTS,
    example="leanbe-emitter announcement delete a2e509",
    about="Delete an announcement.",
)
resources.add_verb(
    announcement,
    ANNOUNCEMENTS,
    "publish",
    example="leanbe-emitter announcement publish a2e509",
    about="Publish an announcement. The event is announcement.updated.",
)
resources.add_verb(
    announcement,
    ANNOUNCEMENTS,
    "unpublish",
    example="leanbe-emitter announcement unpublish a2e509",
    about="Make an announcement a draft again. The event is announcement.updated.",
)
