"""Ways to look at what a receiver stored: a function, a command, a URL. Each only reads.

Each gives one JSON value. What cannot be read raises ``ObservationFailed``.
"""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from leanbe_emitter.delivery.network.transport import (
    VERIFY,
    OutgoingRequest,
    TlsSettings,
    Transport,
    Unknown,
    Unreachable,
    compose_headers,
)
from leanbe_emitter.errors import InvalidValue, LeanbeError
from leanbe_emitter.wire.stringify import JSON, parse

#: Reads the value.
Observe = Callable[[], Awaitable[JSON]]

#: How long one reading may take, in seconds.
READING_SECONDS = 5.0
#: The longest value, in bytes.
LONGEST_VALUE = 1024 * 1024

_SHOWN = 200
_OK = range(200, 300)


class ObservationFailed(InvalidValue):
    """The observation of the receiver failed."""

    code = "observation_failed"


def by_function(function: Callable[[], Any]) -> Observe:
    """Return an observation by a function of this process, asynchronous or not."""

    async def observe() -> JSON:
        value = function()
        return await value if inspect.isawaitable(value) else value

    return observe


def by_command(words: Sequence[str]) -> Observe:
    """Return an observation by a command, without a shell: it prints the value as JSON."""

    async def observe() -> JSON:
        output = await _output_of(words)
        return _parsed(output, f"The command {words[0]!r}")

    return observe


def by_url(
    url: str,
    transport: Transport,
    *,
    headers: Sequence[tuple[str, str]] = (),
    tls: TlsSettings = VERIFY,
) -> Observe:
    """Return an observation by a URL that answers a GET with the value as JSON."""
    request = OutgoingRequest(
        method="GET",
        url=url,
        headers=tuple(
            each
            for each in compose_headers(url, content_length=0, extra=headers)
            if each[0] not in {"Content-Type", "Content-Length"}
        ),
        body=b"",
        timeout_seconds=READING_SECONDS,
        tls=tls,
    )

    async def observe() -> JSON:
        try:
            answer = await transport.send(request)
        except (Unreachable, Unknown) as error:
            raise _failed(f"The URL {url} did not answer: {error.reason}.") from error
        if answer.status not in _OK:
            raise _failed(f"The URL {url} answered {answer.status}.")
        if answer.body_length > len(answer.body):
            raise _failed(f"The URL {url} answered with {answer.body_length} bytes.")
        return _parsed(answer.body, f"The URL {url}")

    return observe


async def _output_of(words: Sequence[str]) -> bytes:
    try:
        process = await asyncio.create_subprocess_exec(
            *words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
    except OSError as error:
        raise _failed(f"The command {words[0]!r} cannot be run: {error.strerror}.") from error
    try:
        async with asyncio.timeout(READING_SECONDS):
            output, complaint = await process.communicate()
    except TimeoutError as error:
        process.kill()
        await process.wait()
        raise _failed(f"The command {words[0]!r} took over {READING_SECONDS:g} s.") from error
    if process.returncode:
        said = complaint.decode(errors="replace").strip()[-_SHOWN:]
        raise _failed(f"The command {words[0]!r} exited with {process.returncode}: {said}")
    return output


def _parsed(output: bytes, source: str) -> JSON:
    if len(output) > LONGEST_VALUE:
        raise _failed(f"{source} gave {len(output)} bytes; the limit is {LONGEST_VALUE}.")
    try:
        return parse(output.decode())
    except (UnicodeDecodeError, LeanbeError) as error:
        shown = output[:_SHOWN].decode(errors="replace").strip()
        raise _failed(f"{source} gave no JSON value: {shown!r}.") from error


def _failed(message: str) -> ObservationFailed:
    return ObservationFailed(
        message, hint='It prints what the receiver stored: 3, or {"ideas": 3, "titles": ["a"]}.'
    )
