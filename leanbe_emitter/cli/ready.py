"""The command ``ready``: wait for a server."""

import http.client
import json
import os
import socket
from urllib.parse import SplitResult, urlsplit

import click

from leanbe_emitter.cli import options, output
from leanbe_emitter.cli.addresses import url_of
from leanbe_emitter.cli.commands import command
from leanbe_emitter.cli.invocation import Invocation
from leanbe_emitter.clock import pause, stopwatch
from leanbe_emitter.errors import InvalidValue, WaitTimedOut

#: What "exec" tells a command of its server by.
URL_VARIABLE = "LEANBE_EMITTER_URL"
#: How long somebody who waits rests before asking again, in seconds; and for an answer.
_LOOK_SECONDS, _ANSWER_SECONDS = 0.05, 5.0


@command("ready", example="leanbe-emitter exec -- leanbe-emitter ready --timeout 30s")
@click.option(
    "--url", metavar="URL", help=f"Of the server; else {URL_VARIABLE}, else where serve listens."
)
@options.timeout
@click.pass_obj
def ready(invocation: Invocation, *, url: str | None, timeout: float) -> None:
    """Wait until a server can do its work, and print its URL.

    Exits with 1 if the time is over.
    """
    asked = url or os.environ.get(URL_VARIABLE) or _usual(invocation)
    address = _parsed(asked)
    deadline = stopwatch() + timeout
    while (why := _why_not(address.netloc, address.path.rstrip("/"))) is not None:
        if stopwatch() >= deadline:
            raise WaitTimedOut(
                f"After {timeout:g} s the server at {asked} is not ready: {why}",
                hint="Was it started? leanbe-emitter serve",
            )
        pause(_LOOK_SECONDS)
    output.text(asked)


def _parsed(url: str) -> SplitResult:
    """Return the parts of a server's URL.

    Raises:
        InvalidValue: it is none.
    """
    refused = InvalidValue(f"{url!r} is no URL of a server.", hint="Write http://HOST:PORT.")
    try:
        address = urlsplit(url)
        is_one = address.scheme == "http" and bool(address.hostname) and address.port != 0
    except ValueError:  # brackets that do not close, a port that there is not
        raise refused from None
    if not is_one:
        raise refused
    return address


def _usual(invocation: Invocation) -> str:
    settings = invocation.settings()
    return url_of(settings.host, settings.port)


def _why_not(netloc: str, root: str) -> str | None:
    """Return why a server is not ready, in a sentence; None where it is."""
    connection = http.client.HTTPConnection(netloc, timeout=_ANSWER_SECONDS)
    try:
        connection.request("GET", f"{root}/readyz")
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, http.client.HTTPException) as error:
        return _in_words(error)
    finally:
        connection.close()
    if answer.status == http.HTTPStatus.OK:
        return None
    return _detail(body) or f"it answers {answer.status}."


def _in_words(error: OSError | http.client.HTTPException) -> str:
    match error:
        case socket.gaierror():
            return "there is no address of that name."
        case TimeoutError():
            return f"no answer came within {_ANSWER_SECONDS:g} s."
        case ConnectionRefusedError():
            return "nobody listens there."
        case http.client.RemoteDisconnected():
            return "it hung up without an answer."
        case OSError():
            return f"{error.strerror or type(error).__name__}."
    return "what listens there does not speak HTTP."


def _detail(body: bytes) -> str | None:
    try:
        document = json.loads(body)
    except ValueError:
        return None
    return document.get("detail") if isinstance(document, dict) else None
