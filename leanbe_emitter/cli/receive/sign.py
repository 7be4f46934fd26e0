"""The command ``sign``: a payload's signature, offline."""

import click

from leanbe_emitter.cli.invocation import output, shared_options
from leanbe_emitter.cli.invocation.commands import command
from leanbe_emitter.cli.invocation.param_types import CONTENT, parse_json
from leanbe_emitter.wire.signing import sign as signature_of


@command("sign", example="leanbe-emitter sign --secret whsec_test --payload @payload.json")
@shared_options.required_secret
@click.option("--payload", type=CONTENT, required=True, help="A JSON value.")
def sign(secret: str, payload: bytes) -> None:
    """Print the signature of a payload.

    It is the article's: HMAC-SHA256 of JSON.stringify(payload), in hex. How the file is spaced or
    escaped does not matter, because what is signed is what JavaScript would write.
    """
    output.print_text(signature_of(parse_json(payload), secret))
