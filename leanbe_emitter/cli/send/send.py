"""The command ``send``: one request to a URL, without a database."""

from typing import Any

import click

from leanbe_emitter.cli.invocation import shared_options
from leanbe_emitter.cli.invocation.attempt_printer import printing_attempts
from leanbe_emitter.cli.invocation.commands import command
from leanbe_emitter.cli.invocation.invocation import Invocation
from leanbe_emitter.cli.invocation.param_types import CONTENT, EVENT, as_mapping


@command(
    "send",
    example="leanbe-emitter send idea.created --secret whsec_test "
    "--to http://127.0.0.1:8000/hooks/leanbe",
)
@click.argument("event", type=EVENT, required=False)
@click.option("--to", required=True, metavar="URL", help="URL of the receiver.")
@shared_options.required_secret
@shared_options.payload_changes
@click.option("--body", type=CONTENT, help="An envelope instead of an event; it is signed again.")
@click.option("--as-is", is_flag=True, help="Send the bytes of --body unchanged.")
@shared_options.headers
@shared_options.certificate_options
@shared_options.assume
@click.pass_obj
def send(  # noqa: PLR0913 - one argument for each option
    invocation: Invocation,
    *,
    event: str | None,
    to: str,
    secret: str,
    set_text: tuple[tuple[str, str], ...],
    set_json: tuple[tuple[str, Any], ...],
    unset: tuple[str, ...],
    body: bytes | None,
    as_is: bool,
    headers: tuple[tuple[str, str], ...],
    ca_file: str | None,
    insecure: bool,
    assume: tuple[tuple[str, str], ...],
) -> None:
    """Send one event to a URL, and store nothing.

    There is one attempt: a refused event is not retried.
    """
    if (event is None) == (body is None):
        raise click.UsageError("Give either an EVENT or --body.")
    if as_is and body is None:
        raise click.UsageError("--as-is needs --body.")
    if body is not None and (set_text or set_json or unset):
        raise click.UsageError("--set changes the sample of an EVENT, not a --body.")
    from leanbe_emitter.library import Changes, OneShotSender, WebhookTarget  # noqa: PLC0415 - SQLAlchemy

    receiver = WebhookTarget(
        url=to, secret=secret, headers=headers, ca_file=ca_file, insecure=insecure
    )
    with printing_attempts(invocation, retried_by=None) as watcher:
        sender = OneShotSender(
            receiver, assume=as_mapping(assume), settings=invocation.settings(), watcher=watcher
        )
        if body is not None:
            sender.send_body(body, as_is=as_is)
        elif event is not None:
            changes = Changes(set=as_mapping(set_text), set_json=as_mapping(set_json), unset=unset)
            sender.send_sample(event, changes)
