"""The commands ``okr ...``: objectives and the progress of their key results."""

from typing import Any

import click

from leanbe_emitter.cli.act import resource_commands
from leanbe_emitter.cli.act.action import ActionOptions, with_action_options
from leanbe_emitter.cli.act.field_options import FieldOption, field_options
from leanbe_emitter.cli.act.resource_commands import Resource
from leanbe_emitter.cli.invocation import output
from leanbe_emitter.cli.invocation.commands import group, subcommand
from leanbe_emitter.cli.invocation.invocation import Invocation
from leanbe_emitter.cli.invocation.param_types import TITLE_AND_NUMBER
from leanbe_emitter.wire.stringify import JSON


def _key_result(pair: tuple[str, Any]) -> JSON:
    title, target = pair
    return {"title": title, "targetValue": target}


OKRS = Resource(
    name="okr",
    noun="OKR",
    collection="okrs",
    columns=[
        output.column("_id", title="id", short=output.abbreviated),
        output.column("title"),
        output.column("progress"),
        output.column("startDate", title="start"),
        output.column("endDate", title="end"),
    ],
    eg=("keyResults[0].unit=%", "keyResults[0].targetValue=70"),
    filters=("owner",),
    fields=(
        *field_options("title", "description", "owner"),
        FieldOption(field="startDate", metavar="DATE", help="Such as 2026-07-01."),
        FieldOption(field="endDate", metavar="DATE", help="Such as 2026-09-30."),
    ),
    only_new=(
        FieldOption(
            field="keyResults",
            option="--key-result",
            metavar="TITLE=NUMBER",
            kind=TITLE_AND_NUMBER,
            help="A key result, with its target.",
            item=_key_result,
        ),
    ),
)


@group("okr", example="leanbe-emitter okr list")
def okr() -> None:
    """OKRs: objectives and their key results."""


resource_commands.add_create(
    okr,
    OKRS,
    example='leanbe-emitter okr create --title "Make onboarding effortless" '
    "--key-result Activation=60 --set-json 'keyResults[0].startValue=40'",
    about="Create an OKR with its key results.",
)
resource_commands.add_update(
    okr,
    OKRS,
    example="leanbe-emitter okr update a2e506 --end-date 2026-09-30 "
    "--set-json 'keyResults[0].targetValue=70'",
    about="Change an OKR or its key results. --unset 'keyResults[0]' removes one.",
)
resource_commands.add_show(okr, OKRS, example="leanbe-emitter okr show a2e506 --output json")
resource_commands.add_list(okr, OKRS, example="leanbe-emitter okr list --owner owner@example.com")
resource_commands.add_delete(
    okr,
    OKRS,
    example="leanbe-emitter okr delete a2e506",
    about="Delete an OKR with its key results.",
)


@subcommand(
    okr, "check-in", example="leanbe-emitter okr check-in a2e506 --key-result Activation --value 50"
)
@OKRS.argument
@click.option("--key-result", metavar="K", required=True, help="Title or id of the key result.")
@click.option("--value", type=float, required=True, help="The current value.")
@with_action_options
@click.pass_obj
def check_in(
    invocation: Invocation, *, reference: str, key_result: str, value: float, options: ActionOptions
) -> None:
    """Record the current value of a key result. Leanbe computes the progress."""
    OKRS.act(
        invocation,
        options,
        lambda okrs: okrs.check_in(reference, key_result=key_result, value=value),
    )
