"""The command ``explain``: why a signature does not match, and how to mend it."""

from collections.abc import Sequence

import click

from leanbe_emitter.cli.invocation import shared_options
from leanbe_emitter.cli.invocation.commands import command
from leanbe_emitter.cli.invocation.explanations import print_explanation
from leanbe_emitter.cli.invocation.invocation import Invocation
from leanbe_emitter.cli.invocation.opening import database_exists, open_leanbe
from leanbe_emitter.cli.invocation.param_types import CONTENT, RECEIVED_HEADER, as_mapping
from leanbe_emitter.errors import DatabaseUnavailable
from leanbe_emitter.wire.explain.explainer import explain as explanation_of


@command("explain", example="leanbe-emitter explain --secret whsec_test --body @altered.json")
@shared_options.required_secret
@click.option("--body", type=CONTENT, required=True, help="A request's body, byte for byte.")
@click.option("--got", metavar="HEX", help="What the receiver computed from that body.")
@click.option(
    "--header",
    "headers",
    type=RECEIVED_HEADER,
    multiple=True,
    metavar="NAME:VALUE",
    help="A header of that request, where --assume puts the signature there.",
)
@shared_options.assume
@click.pass_obj
def explain(  # noqa: PLR0913 - one argument for each option
    invocation: Invocation,
    *,
    secret: str,
    body: bytes,
    got: str | None,
    headers: tuple[tuple[str, str], ...],
    assume: tuple[tuple[str, str], ...],
) -> None:
    """Say why a signature does not match, and how to mend it.

    Exits with 0 if the cause was found: what is wrong with the body or, with --got, the mistake
    that the receiver makes. Exits with 1 if none fits, and for a sound body without --got: then it
    lists the usual mistakes, each with what it would compute. It goes by the article, or by what
    --assume and LEANBE_EMITTER_ASSUME say, as the body was made. Where there is a database, its
    products' secrets are tried, too.
    """
    explanation = explanation_of(
        body,
        secret,
        got=got,
        other_secrets=_known_secrets(invocation),
        headers=headers,
        assume={**invocation.settings().assume, **as_mapping(assume)},
    )
    print_explanation(invocation, explanation)


def _known_secrets(invocation: Invocation) -> Sequence[tuple[str, str]]:
    if not database_exists(invocation.settings().db):
        return ()
    try:
        with open_leanbe(invocation) as leanbe:
            return leanbe.webhooks.secrets()
    except DatabaseUnavailable as error:
        invocation.notice(f"Other products' secrets were not tried: {error.message}")
        return ()
