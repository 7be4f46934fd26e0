"""The commands ``okr ...``: objectives and the progress of their key results."""

from typing import Any

from leanbe_emitter.cli.act.field_options import FieldOption, field_options
from leanbe_emitter.cli.act.resource_commands import Resource, Words, add_commands
from leanbe_emitter.cli.invocation import output
from leanbe_emitter.cli.invocation.commands import group
from leanbe_emitter.cli.invocation.param_types import TITLE_AND_NUMBER
from leanbe_emitter.wire.payloads.declarations import OKR
from leanbe_emitter.wire.stringify import JSON


def _key_result(pair: tuple[str, Any]) -> JSON:
    title, target = pair
    return {"title": title, "targetValue": target}


_RESOURCE = Resource(
    declaration=OKR,
    columns=[
        output.column("_id", title="id", short=output.abbreviated),
        output.column("title"),
        output.column("progress"),
        output.column("startDate", title="start"),
        output.column("endDate", title="end"),
    ],
    eg=("keyResults[0].unit=%", "keyResults[0].targetValue=70"),
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


add_commands(
    okr,
    _RESOURCE,
    {
        "create": Words(
            about="Create an OKR with its key results.",
            example='leanbe-emitter okr create --title "Make onboarding effortless" '
            "--key-result Activation=60 --set-json 'keyResults[0].startValue=40'",
        ),
        "update": Words(
            about="Change an OKR or its key results. --unset 'keyResults[0]' removes one.",
            example="leanbe-emitter okr update a2e506 --end-date 2026-09-30 "
            "--set-json 'keyResults[0].targetValue=70'",
        ),
        "show": Words(example="leanbe-emitter okr show a2e506 --output json"),
        "list": Words(example="leanbe-emitter okr list --owner owner@example.com"),
        "delete": Words(
            about="Delete an OKR with its key results.", example="leanbe-emitter okr delete a2e506"
        ),
        "check-in": Words(
            example="leanbe-emitter okr check-in a2e506 --key-result Activation --value 50"
        ),
    },
)
