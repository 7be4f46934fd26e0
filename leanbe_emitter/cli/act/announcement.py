"""The commands ``announcement ...``: news for customers."""

from leanbe_emitter.cli.act.field_options import entries, field_options
from leanbe_emitter.cli.act.resource_commands import Resource, Words, add_commands
from leanbe_emitter.cli.invocation import output
from leanbe_emitter.cli.invocation.commands import group
from leanbe_emitter.wire.payloads.declarations import ANNOUNCEMENT

_RESOURCE = Resource(
    declaration=ANNOUNCEMENT,
    columns=[
        output.column("_id", title="id", short=output.abbreviated),
        output.column("title"),
        output.column("status"),
        output.column("publishedAt", title="published", short=output.format_local_time),
    ],
    eg=("descriptionHTML=<b>Hi</b>, categories[0].title=New", "categories=[]"),
    fields=(
        *field_options("title", "description", "owner"),
        entries("categories", option="--category", member="title"),
        *field_options("status"),
    ),
)


@group("announcement", example="leanbe-emitter announcement list")
def announcement() -> None:
    """Announcements: news for customers."""


add_commands(
    announcement,
    _RESOURCE,
    {
        "create": Words(
            about="Create an announcement, as a draft or published at once.",
            example='leanbe-emitter announcement create --title "Dark mode is here" '
            '--category "New feature" --status published',
        ),
        "update": Words(
            about="Change fields of an announcement.",
            example='leanbe-emitter announcement update a2e509 --description "Try it: it is dark."',
        ),
        "show": Words(example="leanbe-emitter announcement show a2e509 --output json"),
        "list": Words(example="leanbe-emitter announcement list --status draft"),
        "delete": Words(
            about="Delete an announcement.", example="leanbe-emitter announcement delete a2e509"
        ),
        "publish": Words(example="leanbe-emitter announcement publish a2e509"),
        "unpublish": Words(example="leanbe-emitter announcement unpublish a2e509"),
    },
)
