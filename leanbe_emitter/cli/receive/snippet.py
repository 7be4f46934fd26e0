"""The command ``snippet``: code to start from, a receiver or a client of the API."""

import click

from leanbe_emitter.cli.invocation import output
from leanbe_emitter.cli.invocation.commands import command
from leanbe_emitter.snippets import CLIENT_LANGUAGES, MEANINGS, NAMES, client
from leanbe_emitter.snippets import snippet as text_of

_CLIENT = "client"
_MEANINGS = {
    **MEANINGS,
    _CLIENT: "A client of the API for a test suite: trigger, wait, advance the clock, arm faults.",
}


@command("snippet", example="leanbe-emitter snippet php", words={"Names": _MEANINGS})
@click.argument("name", metavar="NAME", type=click.Choice([*NAMES, _CLIENT]))
@click.option(
    "--lang", "language", type=click.Choice(CLIENT_LANGUAGES), help="The language of the client."
)
def snippet(name: str, language: str | None) -> None:
    """Print a correct receiver to start from, or a client for a test suite.

    Each receiver checks the signature, handles a repeated event once, and accepts unknown events.
    """
    output.print_text(_text(name, language).rstrip())


def _text(name: str, language: str | None) -> str:
    if name == _CLIENT:
        if language is None:
            raise click.UsageError(f"Name its language: --lang {' | '.join(CLIENT_LANGUAGES)}.")
        return client(language)
    if language is not None:
        raise click.UsageError("--lang is for the client. A receiver's name says its language.")
    return text_of(name)
