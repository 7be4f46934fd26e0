"""The command ``sign``: the signature of a payload, without a database."""

import click

from leanbe_emitter.cli.invocation import output, shared_options
from leanbe_emitter.cli.invocation.commands import command
from leanbe_emitter.cli.invocation.param_types import CONTENT
from leanbe_emitter.wire.signing import sign as signature_of
from leanbe_emitter.wire.stringify import parse_given_bytes


@command("sign", example="leanbe-emitter sign --secret whsec_test --payload @payload.json")
@shared_options.required_secret
@click.option("--payload", type=CONTENT, required=True, help="A JSON value.")
def sign(secret: str, payload: bytes) -> None:
    """Print the signature of a payload.

    The signature is HMAC-SHA256 of JSON.stringify(payload), in hex. Spaces and escapes in the file
    do not matter: the text that JavaScript would write is signed.
    """
    output.print_text(signature_of(parse_given_bytes(payload, what="The file"), secret))
