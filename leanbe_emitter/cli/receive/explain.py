"""The command ``explain``: why a signature does not match, and how to repair it."""

from collections.abc import Sequence

import click

from leanbe_emitter.cli.invocation import shared_options
from leanbe_emitter.cli.invocation.commands import command
from leanbe_emitter.cli.invocation.explanations import print_explanation
from leanbe_emitter.cli.invocation.invocation import Invocation, database_exists
from leanbe_emitter.cli.invocation.param_types import CONTENT, RECEIVED_HEADER, as_mapping
from leanbe_emitter.errors import DatabaseUnavailable
from leanbe_emitter.wire.explain.explainer import explain as explanation_of


@command("explain", example="leanbe-emitter explain --secret whsec_test --body @altered.json")
@shared_options.required_secret
@click.option("--body", type=CONTENT, help="A request's body, byte for byte.")
@click.option("--got", metavar="HEX", help="The signature that the receiver computed.")
@shared_options.hashed
@click.option(
    "--probe",
    metavar="URL",
    help="Ask the receiver at this URL: send it events, signed as each known mistake would.",
)
@shared_options.lang
@click.option(
    "--header",
    "headers",
    type=RECEIVED_HEADER,
    multiple=True,
    metavar="NAME:VALUE",
    help="A header of the request, if --assume puts the signature into a header; with --probe, a "
    "header of every request.",
)
@shared_options.certificate_options
@shared_options.assume
@click.pass_obj
def explain(  # noqa: PLR0913 - one argument for each option
    invocation: Invocation,
    *,
    secret: str,
    body: bytes | None,
    got: str | None,
    hashed: bytes | None,
    probe: str | None,
    lang: str | None,
    headers: tuple[tuple[str, str], ...],
    ca_file: str | None,
    insecure: bool,
    assume: tuple[tuple[str, str], ...],
) -> None:
    """Explain why a signature does not match, and how to repair it.

    Exits with 0 if it finds the cause: a wrong body or, with --got or --hashed, the receiver's
    mistake. Exits with 1 if it finds none, or if the body is sound and both are missing. Then it
    lists the usual mistakes, each with the signature that it gives. Pass the assumptions of the
    body by --assume or LEANBE_EMITTER_ASSUME. If there is a database, it also tries the secrets of
    its products.

    With --probe, the receiver gets up to some hundred requests instead, each with a fresh document,
    and its answers tell its mistake. It may act on those that it accepts. Nothing is stored here.
    Exits with 0 also if the receiver is right.
    """
    if (body is None) == (probe is None):
        raise click.UsageError("Give either --body or --probe.")
    assumed = as_mapping(assume)
    if body is None:
        if got is not None or hashed is not None:
            raise click.UsageError("--probe asks the receiver itself, without --got and --hashed.")
        from leanbe_emitter.library import OneShotSender, WebhookTarget  # noqa: PLC0415 - SQLAlchemy

        receiver = WebhookTarget(
            url=str(probe), secret=secret, headers=headers, ca_file=ca_file, insecure=insecure
        )
        sender = OneShotSender(receiver, assume=assumed, settings=invocation.settings())
        others = _known_secrets(invocation)
        print_explanation(invocation, sender.probe(lang=lang, other_secrets=others))
        return
    if ca_file is not None or insecure:
        raise click.UsageError("--ca-file and --insecure need --probe.")
    explanation = explanation_of(
        body,
        secret,
        got=got,
        hashed=hashed,
        lang=lang,
        other_secrets=_known_secrets(invocation),
        headers=headers,
        assume={**invocation.settings().assume, **assumed},
    )
    print_explanation(invocation, explanation)


def _known_secrets(invocation: Invocation) -> Sequence[tuple[str, str]]:
    if not database_exists(invocation.settings().db):
        return ()
    try:
        with invocation.open_leanbe() as leanbe:
            return leanbe.webhooks.secrets()
    except DatabaseUnavailable as error:
        invocation.notice(f"Other products' secrets were not tried: {error.message}")
        return ()
