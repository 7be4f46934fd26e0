"""The commands ``announcement ...``: what customers are told."""

import click

from leanbe_emitter.cli.act import resources
from leanbe_emitter.cli.act.action import ActionOptions, with_action_options
from leanbe_emitter.cli.act.fields import FieldOption, entries, texts, user
from leanbe_emitter.cli.act.resources import Resource, text_filter
from leanbe_emitter.cli.invocation import output
from leanbe_emitter.cli.invocation.commands import group, subcommand
from leanbe_emitter.cli.invocation.invocation import Invocation

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
    fields=(
        *texts("title", "description"),
        user("owner"),
        entries("categories", option="--category", member="title"),
        FieldOption(field="status", help="draft (the default) or published."),
    ),
)


@group("announcement", example="leanbe-emitter announcement list")
def announcement() -> None:
    """Announcements: what customers are told."""


resources.add_create(
    announcement,
    ANNOUNCEMENTS,
    example='leanbe-emitter announcement create --title "Dark mode is here" '
    '--category "New feature" --status published',
    about="Write an announcement, as a draft or published at once.",
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
    announcement,
    ANNOUNCEMENTS,
    example="leanbe-emitter announcement list --status draft",
    filters=[text_filter("status", "draft or published.")],
)
resources.add_delete(
    announcement,
    ANNOUNCEMENTS,
    example="leanbe-emitter announcement delete a2e509",
    about="Delete an announcement.",
)


@subcommand(announcement, "publish", example="leanbe-emitter announcement publish a2e509")
@ANNOUNCEMENTS.argument
@with_action_options
@click.pass_obj
def publish(invocation: Invocation, *, reference: str, options: ActionOptions) -> None:
    """Let everybody read an announcement; the event is that of an update."""
    ANNOUNCEMENTS.act(invocation, options, lambda each: each.publish(reference))


@subcommand(announcement, "unpublish", example="leanbe-emitter announcement unpublish a2e509")
@ANNOUNCEMENTS.argument
@with_action_options
@click.pass_obj
def unpublish(invocation: Invocation, *, reference: str, options: ActionOptions) -> None:
    """Make an announcement a draft again; the event is that of an update."""
    ANNOUNCEMENTS.act(invocation, options, lambda each: each.unpublish(reference))
