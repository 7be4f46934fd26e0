"""The command ``verify``: check an envelope's signature, without a database."""

import click

from leanbe_emitter.cli.invocation import output, shared_options
from leanbe_emitter.cli.invocation.commands import command
from leanbe_emitter.cli.invocation.invocation import Invocation
from leanbe_emitter.cli.invocation.param_types import CONTENT
from leanbe_emitter.wire.envelope import verify as envelope_of

_COLUMNS = [output.column(key) for key in ("event", "triggeredAt", "signature")]


@command("verify", example="leanbe-emitter verify --secret whsec_test --body @body.json")
@shared_options.required_secret
@click.option("--body", type=CONTENT, required=True, help="A request's body, byte for byte.")
@click.pass_obj
def verify(invocation: Invocation, secret: str, body: bytes) -> None:
    """Verify an envelope's signature.

    Prints the envelope and exits with 0 if the signature matches; else exits with 1.
    """
    envelope = envelope_of(body, secret)
    document = {
        "payload": envelope.payload,
        "event": envelope.event,
        "triggeredAt": envelope.triggered_at,
        "signature": envelope.signature,
    }
    output.print_document(invocation.output_format, document, columns=_COLUMNS)
