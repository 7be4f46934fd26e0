"""The command ``receiver``: a small receiver that prints the webhooks that arrive."""

import asyncio
import sys
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path

import click

from leanbe_emitter.cli.invocation import output, shared_options
from leanbe_emitter.cli.invocation.commands import command
from leanbe_emitter.cli.invocation.invocation import Invocation
from leanbe_emitter.cli.invocation.output import Document, OutputFormat
from leanbe_emitter.cli.invocation.param_types import WholeNumber
from leanbe_emitter.cli.invocation.terminal import Terminal
from leanbe_emitter.cli.receive.forwarding import Forwarder
from leanbe_emitter.cli.receive.receiver_server import (
    ReceivedRequest,
    ReceiverConfig,
    highest_number,
    payload_id,
    save_request,
    serve,
)
from leanbe_emitter.conformance.example.flaws import RECEIVERS
from leanbe_emitter.conformance.example.receiver import ExampleReceiver, State
from leanbe_emitter.storage.schema.states import Outcome

_COLUMNS = [
    output.column(key)
    for key in (
        *("receivedAt", "event", "id", "verified", "status", "bytes", "saved", "reason"),
        "forwardError",
    )
]


#: As wide as the time at the beginning of a line.
_INDENT = " " * len("14:02:11 ")


@command(
    "receiver", example="leanbe-emitter receiver --secret whsec_test --port 8000 --fail-first 1"
)
@shared_options.required_secret
@click.option(
    "--port",
    type=WholeNumber(0, 65535),
    default=8000,
    show_default=True,
    help="Port on 127.0.0.1; 0 for a free one.",
)
@click.option(
    "--fail-first",
    type=WholeNumber(min=0),
    default=0,
    metavar="N",
    help="Answer the first N requests with 503.",
)
@click.option(
    "--delay",
    type=click.FloatRange(min=0),
    default=0,
    metavar="MS",
    help="Delay each answer by this many milliseconds.",
)
@click.option(
    "--status",
    type=WholeNumber(200, 599),
    metavar="CODE",
    help="Answer to a verified request; default: 204. Others get 401.",
)
@click.option(
    "--forward-to",
    metavar="URL",
    help="Pass each request on to this URL on this machine, and answer with its answer.",
)
@shared_options.allow_targets("Further hosts and CIDRs that --forward-to may name.")
@click.option(
    "--save",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Save each body there, byte for byte (0001.json), with its headers in a second file.",
)
@click.option(
    "--flaw",
    type=click.Choice(tuple(RECEIVERS)),
    metavar="NAME",
    help="Answer as a receiver with this flaw: something to check.",
)
@click.option("--until-eof", is_flag=True, help="Also stop when stdin ends.")
@click.pass_obj
def receiver(  # noqa: PLR0913 - one argument for each option
    invocation: Invocation,
    *,
    secret: str,
    port: int,
    fail_first: int,
    delay: float,
    status: int | None,
    forward_to: str | None,
    allow_targets: tuple[str, ...] | None,
    save: Path | None,
    flaw: str | None,
    until_eof: bool,
) -> None:
    """Run a receiver that verifies, prints and forwards, or fails on demand.

    The first line is its URL; any path works. Then it prints a line for each request, until Ctrl-C.
    With --forward-to, the target gets every request, verified or not, and has 10 s to answer it; a
    target without an answer makes 502.

    With --flaw, "check" finds something. GET /effects shows what such a receiver stored, also after
    a new start with --save. The flaw "none" is a right receiver.
    """
    if forward_to is not None and status is not None:
        raise click.UsageError("With --forward-to, the target's answer has the status.")
    config = ReceiverConfig(
        secret=secret,
        fail_first=fail_first,
        delay_seconds=delay / 1000,
        status=HTTPStatus.NO_CONTENT if status is None else status,
        forwarder=_forwarder(forward_to, allow_targets),
        example=None if flaw is None else _example(flaw, secret=secret, save=save),
    )
    report = _reporter(invocation.output_format, save=save)
    ready = _announcer(invocation.output_format)
    until = sys.stdin if until_eof else None
    asyncio.run(serve(config, port=port, ready=ready, report=report, until=until))


def _forwarder(forward_to: str | None, allow: tuple[str, ...] | None) -> Forwarder | None:
    if forward_to is not None:
        return Forwarder(forward_to, allow=allow or ())
    if allow is not None:
        raise click.UsageError("--allow-targets needs --forward-to.")
    return None


def _example(flaw: str, *, secret: str, save: Path | None) -> ExampleReceiver:
    if save is not None:
        save.mkdir(mode=0o700, parents=True, exist_ok=True)
    state = State(file=None if save is None else save / "effects.jsonl")
    return RECEIVERS[flaw](secret, state=state, pause=asyncio.sleep)


def _announcer(output_format: OutputFormat) -> Callable[[str], None]:
    if output_format in {OutputFormat.JSON, OutputFormat.JSONL}:
        return lambda url: output.print_row(OutputFormat.JSONL, {"url": url}, columns=[])
    return output.print_text


def _reporter(
    output_format: OutputFormat, *, save: Path | None
) -> Callable[[ReceivedRequest], None]:
    before = 0
    if save is not None:
        # Bodies and headers are payloads and tokens. A folder that exists keeps its mode.
        save.mkdir(mode=0o700, parents=True, exist_ok=True)
        before = highest_number(save)

    def report(received: ReceivedRequest) -> None:
        saved = save_request(received, directory=save, after=before) if save is not None else None
        document = _document(received, saved=saved)
        if output_format is OutputFormat.TABLE:
            for line in _lines(received, document, Terminal.of(sys.stdout)):
                output.print_text(line)
        else:
            output.print_row(output_format, document, columns=_COLUMNS)

    return report


def _document(received: ReceivedRequest, *, saved: Path | None) -> Document:
    envelope = received.envelope
    return {
        "number": received.number,
        "receivedAt": output.format_instant(received.received_at),
        "method": received.request.method,
        "path": received.request.path,
        "event": envelope.event if envelope else None,
        "id": payload_id(envelope) or None,
        "triggeredAt": envelope.triggered_at if envelope else None,
        "verified": envelope is not None,
        "reason": received.reason,
        "forwardError": received.forward_error or None,
        "status": received.status,
        "bytes": len(received.request.body),
        "saved": str(saved) if saved else None,
    }


def _lines(received: ReceivedRequest, document: Document, terminal: Terminal) -> Iterator[str]:
    """Yield the lines of a request; why it was not forwarded has its own."""
    yield from _lines_of_request(received, document, terminal)
    if received.forward_error:
        reason = output.printable(f"not forwarded: {received.forward_error}")
        yield from _indented(reason, terminal)


def _lines_of_request(
    received: ReceivedRequest, document: Document, terminal: Terminal
) -> Iterator[str]:
    """Yield the lines of a request; a reason that does not fit into the first has its own."""
    time = output.format_time_of_day(received.received_at)
    what = document["event"] or f"{document['method']} {document['path']}"
    status = received.status
    answer = output.format_status(status) if status is not None else "no answer"
    identifier = output.abbreviated(document["id"] or "")
    cells = f"{what:<26} {identifier:<7} {answer:<14} {document['bytes']:>5} B  "
    before = f"{time} {output.printable(cells)}"
    if document["verified"]:
        yield before + terminal.coloured("verified", by=Outcome.DELIVERED)
        return
    reason = output.printable(document["reason"])
    found = terminal.coloured("NOT VERIFIED", by=Outcome.REFUSED)
    if terminal.width is None or len(f"{before}NOT VERIFIED: {reason}") <= terminal.width:
        yield f"{before}{found}: {reason}"
        return
    yield f"{terminal.fitted(before, beside=len('NOT VERIFIED'))}{found}"
    yield from _indented(reason, terminal)


def _indented(text: str, terminal: Terminal) -> Iterator[str]:
    yield from (f"{_INDENT}{line}" for line in terminal.wrapped(text, indent=len(_INDENT)))
