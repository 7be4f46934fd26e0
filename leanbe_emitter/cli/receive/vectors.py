"""The command ``vectors``: signed bodies to test a verifier with, without a database."""

import json

from leanbe_emitter.cli.invocation import output
from leanbe_emitter.cli.invocation.commands import command
from leanbe_emitter.wire.signing_vectors import signing_vectors


@command("vectors", example="leanbe-emitter vectors")
def vectors() -> None:
    """Print signing vectors to test a verifier with, as JSON in ASCII.

    Each of "vectors" has a secret, a payload, the text that is signed, its signature and the body:
    a verifier must accept the body. It must refuse the bodies of "refused". The vectors hold the
    numbers, texts and keys that serialisers write in different ways.
    """
    output.print_text(json.dumps(signing_vectors(), indent=2))
