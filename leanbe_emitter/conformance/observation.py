"""Observations of a receiver: ways to read what it stored, the wait for rest, and what changed.

Each gives one JSON value. What cannot be read raises ``ObservationFailed``.

Invariant: no effect is claimed, and none denied, unless the value was quiet for long enough:
``settle_seconds``, or three times as long as the first effect took.

A movement says what changed between two readings: each number, and the length of each list, by its
path. A single delivery moves some of them by some amounts. A duplicate that has an effect moves
them again, and so the same movement tells one effect from two.
"""

import asyncio
import inspect
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

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


#: How long to wait for the very first effect, in seconds.
_PATIENCE_SECONDS = 2.0
#: How much longer than the first effect took the value has to be quiet.
_FACTOR = 3
_FIRST_STEP, _LONGEST_STEP = 0.02, 0.1


class NeverQuiet(Exception):
    """The value went on changing until the time was over."""


@dataclass(frozen=True, kw_only=True)
class Timing:
    """How a run waits.

    Attributes:
        pause: waits for so many seconds.
        stopwatch: returns seconds of a monotonic clock.
        finish: waits until a receiver in this process has done its work after its answers.
        settle_seconds: the shortest time without a change; 0 for a receiver in this process.
        timeout_seconds: the longest wait for it.
    """

    pause: Callable[[float], Awaitable[None]]
    stopwatch: Callable[[], float]
    finish: Callable[[], Awaitable[None]]
    settle_seconds: float = 0.3
    timeout_seconds: float = 10.0


class Effects:
    """Watches an observation.

    Args:
        observe: reads the value.
        timing: how to wait.

    Attributes:
        seen_seconds: how long after the answer the first effect was seen; None before that.
        value: the last reading.
    """

    def __init__(self, observe: Observe, timing: Timing) -> None:
        self._observe = observe
        self._timing = timing
        self.seen_seconds: float | None = None
        self.value: JSON = None

    async def read(self) -> JSON:
        """Read once, without a wait for rest."""
        await self._timing.finish()
        self.value = await self._observe()
        return self.value

    async def after_change(self) -> None:
        """Wait for a first effect, longer than for any later one."""
        before, begun = self.value, self._timing.stopwatch()
        is_patient = self.seen_seconds is None and self._timing.settle_seconds > 0
        while is_patient and self._timing.stopwatch() - begun < _PATIENCE_SECONDS:
            value = await self.read()
            if value != before:
                taken = self._timing.stopwatch() - begun
                self.seen_seconds = taken if taken > _FIRST_STEP else 0
                break
            await self._timing.pause(_FIRST_STEP)

    async def at_rest(self) -> JSON:
        """Return the value when it has been quiet for long enough.

        Raises:
            NeverQuiet: it changes too often.
        """
        begun = changed = self._timing.stopwatch()
        value, step = await self.read(), _FIRST_STEP
        while self._timing.stopwatch() - changed < self._quiet_seconds:
            await self._timing.pause(min(step, self._quiet_seconds))
            step = min(step * 2, _LONGEST_STEP)
            newer = await self.read()
            now = self._timing.stopwatch()
            if newer != value:
                value, changed = newer, now
            if now - begun > self._timing.timeout_seconds:
                raise NeverQuiet
        return value

    @property
    def _quiet_seconds(self) -> float:
        return max(self._timing.settle_seconds, _FACTOR * (self.seen_seconds or 0))


#: By how much each number and each list's length moved; those that did not move are left out.
Movement: TypeAlias = Mapping[str, float]


def movement(before: JSON, after: JSON) -> Movement:
    """Return by how much the numbers and lengths moved from one value to another."""
    earlier, later = dict(_measures(before)), dict(_measures(after))
    paths = earlier.keys() | later.keys()
    moved = {path: later.get(path, 0) - earlier.get(path, 0) for path in paths}
    return {path: by for path, by in moved.items() if by}


def times(single: Movement, count: int) -> Movement:
    """Return the movement of so many deliveries that each move by ``single``."""
    return {path: by * count for path, by in single.items()}


def along(moved: Movement, paths: Movement) -> Movement:
    """Return the part of a movement on the paths of another one."""
    return {path: moved[path] for path in paths if path in moved}


def shows(value: JSON, token: str) -> bool:
    """Return whether a token stands anywhere in a value."""
    return token in json.dumps(value, ensure_ascii=False)


def movement_in_words(moved: Movement) -> str:
    """Return a movement for people: ``ideas +1, votes -2``."""
    if not moved:
        return "nothing"
    return ", ".join(f"{path or 'the value'} {by:+g}" for path, by in sorted(moved.items())[:3])


def _measures(value: JSON, path: str = "") -> Iterator[tuple[str, float]]:
    match value:
        case bool():
            return
        case int() | float():
            yield path, value
        case list():
            yield path, len(value)
        case dict():
            for key, member in value.items():
                yield from _measures(member, f"{path}.{key}" if path else key)
