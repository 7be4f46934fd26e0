"""Our receiver as a process of its own: what ``demo`` sends to."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import IO, Self

from leanbe_emitter.cli.invocation.exits import Failed
from leanbe_emitter.processes import stop


class ReceiverProcess:
    """A running ``leanbe-emitter receiver``."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    @cached_property
    def url(self) -> str:
        """Where it listens, as soon as it does.

        Raises:
            Failed: it did not start; the hint is what it said.
        """
        return _url_of(self._process)

    @classmethod
    @contextmanager
    def started(cls, *, secret: str, fail_first: int, save: Path) -> Iterator[Self]:
        """Start one on a free port; stop it at the end of the block.

        Args:
            secret: what it verifies with.
            fail_first: how many requests it answers with 503 first.
            save: the folder that it keeps the bodies in.
        """
        arguments = ["--port", "0", "--fail-first", str(fail_first), "--save", str(save)]
        process = subprocess.Popen(  # noqa: S603 - our own program
            [
                *(sys.executable, "-m", "leanbe_emitter", "receiver", "--output", "jsonl"),
                # Not among the arguments: every user of the machine can list those.
                *("--secret", "env:LEANBE_EMITTER_DEMO_SECRET", *arguments),
            ],
            env={**os.environ, "LEANBE_EMITTER_DEMO_SECRET": secret},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        with process:
            try:
                yield cls(process)
            finally:
                stop(process)

    def verdicts(self) -> Iterator[bool]:
        """Yield what it says of each request, in the order of their coming: verified or not."""
        for line in _output(self._process):
            yield bool(json.loads(line)["verified"])


def _output(process: "subprocess.Popen[str]") -> IO[str]:
    assert process.stdout is not None  # noqa: S101 - it was asked for
    return process.stdout


def _url_of(process: "subprocess.Popen[str]") -> str:
    first = _output(process).readline()
    if not first:
        process.wait()
        said = process.stderr.read() if process.stderr else ""
        raise Failed("The receiver did not start.", hint=said.strip())
    url: str = json.loads(first)["url"]
    return url
