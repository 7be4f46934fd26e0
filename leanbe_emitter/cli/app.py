"""The program: its commands by section, and the start and the end of a run."""

import io
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import TextIO

import click
from click.shell_completion import shell_complete

import leanbe_emitter
from leanbe_emitter.cli.invocation import exit_status
from leanbe_emitter.cli.invocation.commands import COMPLETION_VARIABLE, RootGroup

PROGRAM = "leanbe-emitter"

#: Each section's commands, with the first line of the command's own help.
SECTIONS = {
    "Serve": {
        "serve": "Serve the API over HTTP, and deliver what is due.",
        "ready": "Wait until a server is ready, and print its URL.",
        "exec": "Run a command with its own server, on a free port and a temporary database.",
    },
    "Send": {
        "demo": "Send all 22 events to a receiver, which verifies each; one is retried.",
        "trigger": "Create events, sign them and deliver them.",
        "send": "Send one event to a URL, and store nothing.",
        "worker": "Run a worker in this process until SIGTERM.",
    },
    "Set up": {
        "product": "Products, each with its webhook and its documents.",
        "webhook": "A product's webhook: its URL and secret.",
        "user": "Users: the members of a product's team.",
        "assumptions": "Answers to the questions that Leanbe's article leaves open.",
        "db": "The database's tables.",
    },
    "Act": {
        "customer": "Customers: the people who ask and vote.",
        "idea": "Ideas: people vote on them, and the team promotes them.",
        "idea-request": "Idea requests: what customers ask for.",
        "backlog-item": "Backlog items: the work on the board.",
        "okr": "OKRs: objectives and their key results.",
        "announcement": "Announcements: news for customers.",
    },
    "Look": {
        "events": "All events, with or without a delivery.",
        "deliveries": "Deliveries: their states, and the evidence of every attempt.",
        "tail": "Follow the attempts of all processes live, until Ctrl-C.",
        "info": "Show version, database, time, counts, and the assumptions of new products.",
        "schema": "Print the schema of an event's payload, or the types of all events.",
    },
    "Control": {
        "faults": "Faults: deliberate, counted misbehaviour of the receiver or the sender.",
        "clock": "The clock; a manual clock stands still until you move it.",
        "reset": "Delete everything, or the content of one product; faults too.",
    },
    "Receive": {
        "check": "Check a receiver in any language: is it right?",
        "receiver": "Run a receiver that verifies, prints and forwards, or fails on demand.",
        "snippet": "Print a correct receiver to start from, or a client for a test suite.",
        "sign": "Print the signature of a payload.",
        "verify": "Verify an envelope's signature.",
        "vectors": "Print signing vectors to test a verifier with, as JSON in ASCII.",
        "explain": "Explain why a signature does not match, and how to repair it.",
    },
    "Shell": {"completion": "Print the script that completes words in a shell."},
}


@click.group(
    PROGRAM,
    cls=RootGroup,
    sections=SECTIONS,
    example=f"{PROGRAM} trigger",
    context_settings={"help_option_names": ["--help", "-h"]},
)
@click.version_option(leanbe_emitter.__version__, prog_name=PROGRAM)
def program() -> None:
    """Leanbe's sending side: sign webhooks, deliver them, retry them, and explain mistakes."""


def main(
    arguments: Sequence[str] | None = None, *, on_end: Callable[[], object] = lambda: None
) -> int:
    """Run the command line and return its exit status.

    Args:
        arguments: the words after the program's name; by default, those of the process.
        on_end: is called when the command has ended, before its error is printed.
    """
    for stream in _streams():
        # A terminal that cannot show a character gets an escape instead of an error.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    words = sys.argv[1:] if arguments is None else arguments
    return exit_status.run(partial(_run, words), on_end=on_end)


def _streams() -> tuple[TextIO, TextIO]:
    """Return stdout and stderr; a closed one (``>&-``) becomes the null device."""
    sys.stdout = sys.stdout or _null_device()
    sys.stderr = sys.stderr or _null_device()
    return sys.stdout, sys.stderr


def _null_device() -> TextIO:
    return os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8")


def _run(arguments: Sequence[str]) -> int:
    # click's own main() would turn errors into statuses before ``exit_status`` sees them.
    if instruction := os.environ.get(COMPLETION_VARIABLE):
        return shell_complete(program, {}, PROGRAM, COMPLETION_VARIABLE, instruction)
    with program.make_context(PROGRAM, list(arguments)) as context:
        program.invoke(context)
    return 0
