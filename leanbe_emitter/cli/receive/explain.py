"""The command ``explain``: why a signature does not match, and how to mend it."""

from collections.abc import Iterator, Sequence

import click

from leanbe_emitter.cli.invocation import options, output
from leanbe_emitter.cli.invocation.command_classes import command
from leanbe_emitter.cli.invocation.exits import Failed
from leanbe_emitter.cli.invocation.invocation import Invocation
from leanbe_emitter.cli.invocation.opening import is_there, opened
from leanbe_emitter.cli.invocation.output import Form
from leanbe_emitter.cli.invocation.values import CONTENT, RECEIVED_HEADER, as_mapping
from leanbe_emitter.errors import DatabaseUnavailable
from leanbe_emitter.wire.explain.explainer import Explanation, Verdict
from leanbe_emitter.wire.explain.explainer import explain as explanation_of


@command("explain", example="leanbe-emitter explain --secret whsec_test --body @altered.json")
@options.needed_secret
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
@options.assume
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
    tell(invocation, explanation)


def tell(invocation: Invocation, explanation: Explanation) -> None:
    """Print an explanation.

    Raises:
        Failed: it explains nothing.
    """
    if invocation.form in {Form.JSON, Form.JSONL}:
        output.record(invocation.form, explanation.document(), columns=[])
    else:
        for line in _lines(explanation):
            output.text(output.printable(line))
    if not explanation.explained:
        raise Failed(_why_not(explanation))


def _known_secrets(invocation: Invocation) -> Sequence[tuple[str, str]]:
    if not is_there(invocation.settings().db):
        return ()
    try:
        with opened(invocation) as leanbe:
            return leanbe.webhooks.secrets()
    except DatabaseUnavailable as error:
        invocation.notice(f"Other products' secrets were not tried: {error.message}")
        return ()


def _why_not(explanation: Explanation) -> str:
    if explanation.verdict is Verdict.BODY_SOUND:
        return "The body is sound, and what the receiver computed was not given (--got)."
    return "No known mistake explains what the receiver computed."


def _lines(explanation: Explanation) -> Iterator[str]:
    yield explanation.summary
    if explanation.hint:
        yield explanation.hint
    for candidate in explanation.mistakes:
        yield ""
        yield candidate.mistake.what
        yield from (f"  gives       {signature}" for signature in candidate.signatures)
        yield f"  JavaScript  {candidate.mistake.fix_javascript}"
        yield f"  Python      {candidate.mistake.fix_python}"
