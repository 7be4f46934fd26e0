"""The command ``ready``: wait until a server can work."""

import http.client
import json
import os
import socket
from typing import NamedTuple
from urllib.parse import urlsplit

import click

from leanbe_emitter.api_client import ApiClient
from leanbe_emitter.cli.invocation import output, shared_options
from leanbe_emitter.cli.invocation.commands import command
from leanbe_emitter.cli.invocation.invocation import Invocation
from leanbe_emitter.cli.invocation.listen_address import URL_VARIABLE, url_of
from leanbe_emitter.clock import pause, stopwatch
from leanbe_emitter.errors import InvalidValue, WaitTimedOut

#: The pause between two requests to the server, in seconds.
_LOOK_SECONDS = 0.05
#: The longest and the shortest time to wait for an answer, in seconds: with --timeout 0 there is
#: one request, and a server needs a moment to answer it.
_ANSWER_SECONDS, _LEAST_SECONDS = 5.0, 1.0
_WHERE = "Write the URL that leanbe-emitter serve prints: http://HOST:PORT."


class _NotReady(NamedTuple):
    """Why a server is not ready, as the end of a sentence, and a hint."""

    why: str
    hint: str = ""


@command("ready", example="leanbe-emitter exec -- leanbe-emitter ready --timeout 30s")
@click.option(
    "--url", metavar="URL", help=f"The server; else {URL_VARIABLE}, else the default of serve."
)
@shared_options.timeout
@click.pass_obj
def ready(invocation: Invocation, *, url: str | None, timeout: float) -> None:
    """Wait until a server is ready, and print its URL.

    Exits with 1 after the timeout.
    """
    asked = url or os.environ.get(URL_VARIABLE) or _default_url(invocation)
    _require_server_url(asked)
    deadline = stopwatch() + timeout
    while (problem := _problem(asked, patience=_patience(deadline))) is not None:
        if stopwatch() >= deadline:
            raise WaitTimedOut(
                f"After {timeout:g} s the server at {asked} is not ready: {problem.why}",
                hint=problem.hint,
            )
        pause(_LOOK_SECONDS)
    output.print_text(asked)


def _patience(deadline: float) -> float:
    """Return how many seconds to wait for an answer: little longer than the deadline."""
    return min(_ANSWER_SECONDS, max(_LEAST_SECONDS, deadline - stopwatch()))


def _require_server_url(url: str) -> None:
    """Check that a text is the URL of a server.

    Raises:
        InvalidValue: the text is no URL of a server.
    """
    refused = InvalidValue(f"{url!r} is no URL of a server.", hint="Write http://HOST:PORT.")
    try:
        address = urlsplit(url)
        is_one = address.scheme == "http" and bool(address.hostname) and address.port != 0
    except ValueError:  # open brackets, or a port out of range
        raise refused from None
    if not is_one:
        raise refused


def _default_url(invocation: Invocation) -> str:
    settings = invocation.settings()
    return url_of(settings.host, settings.port)


def _problem(url: str, *, patience: float) -> _NotReady | None:
    """Return why a server is not ready; None if it is."""
    try:
        with ApiClient(url, answer_seconds=patience) as client:
            answer = client.request("GET", "/readyz")
    except (OSError, http.client.HTTPException) as error:
        return _in_words(error)
    match _document(answer.body):
        case {"database": _, "worker": _} if answer.status == http.HTTPStatus.OK:
            return None
        case {"code": _, "detail": str(detail), **others}:
            return _NotReady(detail, str(others.get("hint", "")))
    return _NotReady(
        f"what listens there is no leanbe-emitter: it answers {answer.status}.", _WHERE
    )


def _in_words(error: OSError | http.client.HTTPException) -> _NotReady:
    match error:
        case socket.gaierror():
            return _NotReady("there is no address of that name.", _WHERE)
        case TimeoutError():
            return _NotReady("it does not answer.")
        case ConnectionRefusedError():
            return _NotReady("nobody listens there.", "Was it started? leanbe-emitter serve")
        case http.client.RemoteDisconnected():
            return _NotReady("it hung up without an answer.")
        case OSError():
            return _NotReady(f"{error.strerror or type(error).__name__}.")
    return _NotReady("what listens there does not speak HTTP.", _WHERE)


def _document(body: bytes) -> object:
    try:
        return json.loads(body)
    except ValueError:
        return None
