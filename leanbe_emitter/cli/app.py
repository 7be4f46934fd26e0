"""The program: which commands there are, and how a run of it begins and ends."""

import io
import os
import sys
from collections.abc import Sequence
from typing import TextIO

import click
from click.shell_completion import shell_complete

import leanbe_emitter
from leanbe_emitter.cli.invocation import exits
from leanbe_emitter.cli.invocation.commands import COMPLETION_VARIABLE, RootGroup

PROGRAM = "leanbe-emitter"

#: Title to commands, each with the first line of its own help.
SECTIONS = {
    "Serve": {
        "serve": "Serve the API over HTTP, and deliver what is due.",
        "ready": "Wait until a server can do its work, and print its URL.",
        "exec": "Run a command with a server of its own, on a free port and a temporary database.",
    },
    "Send": {
        "demo": "Send all 22 events to a receiver, which verifies each; one is retried.",
        "trigger": "Make events, sign them and deliver them.",
        "send": "Send one event to a URL; nothing is stored.",
        "worker": "Deliver what is due, retries included.",
    },
    "Set up": {
        "product": "Products: what webhook settings belong to.",
        "webhook": "A product's webhook: its URL and secret.",
        "user": "Users: the members of a product's team.",
        "assumptions": "How the article is read where it leaves something open.",
        "db": "The database's tables.",
    },
    "Act": {
        "customer": "Customers: who asks, and votes.",
        "idea": "Ideas: voted on, promoted, archived.",
        "idea-request": "Idea requests: what customers ask for.",
        "backlog-item": "Backlog items: work, and its way over the board.",
        "okr": "OKRs: objectives and their key results.",
        "announcement": "Announcements: what customers are told.",
    },
    "Look": {
        "events": "What has happened, whether anything is owed for it or not.",
        "deliveries": "What is owed, what was delivered, and every attempt of it.",
        "tail": "Follow attempts live, whichever process makes them; Ctrl-C ends it.",
        "info": "Show version, database, time, how much there is, and what new products assume.",
        "schema": "Print what an event's payload looks like.",
    },
    "Control": {
        "faults": "Deliberate, counted misbehaviours: of the receiver, or of ours.",
        "clock": "The time; a manual clock's stands still until it is moved.",
        "reset": "Delete everything, or what one product has; faults too.",
    },
    "Receive": {
        "receiver": "Receive webhooks: verify, print, keep, fail on demand.",
        "snippet": "Print a correct receiver to start from.",
        "sign": "Print the signature of a payload.",
        "verify": "Verify an envelope's signature.",
        "explain": "Say why a signature does not match, and how to mend it.",
    },
    "Shell": {"completion": "Print the script that completes commands and events in a shell."},
}


@click.group(PROGRAM, cls=RootGroup, sections=SECTIONS, example=f"{PROGRAM} trigger")
@click.version_option(leanbe_emitter.__version__, prog_name=PROGRAM)
def program() -> None:
    """The sending side of Leanbe's webhooks: signed, delivered, retried and explained."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status.

    Args:
        arguments: what was typed after the program's name; by default, what the process was given.
    """
    for stream in _streams():
        # A terminal that cannot show a character gets it written out, not an error.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    return exits.run(lambda: _run(sys.argv[1:] if arguments is None else arguments))


def _streams() -> tuple[TextIO, TextIO]:
    """Return stdout and stderr; what our caller closed (``>&-``) goes nowhere."""
    sys.stdout = sys.stdout or _nowhere()
    sys.stderr = sys.stderr or _nowhere()
    return sys.stdout, sys.stderr


def _nowhere() -> TextIO:
    return os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8")


def _run(arguments: Sequence[str]) -> int:
    # Not click's own main(): it would turn errors into statuses before ``exits`` sees them.
    if instruction := os.environ.get(COMPLETION_VARIABLE):
        return shell_complete(program, {}, PROGRAM, COMPLETION_VARIABLE, instruction)
    with program.make_context(PROGRAM, list(arguments)) as context:
        program.invoke(context)
    return 0
