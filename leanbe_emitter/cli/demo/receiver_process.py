"""Our receiver as a process of its own: the target of the demo."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import IO

from leanbe_emitter.cli.invocation.exit_status import Failed
from leanbe_emitter.server_process import stop


class ReceiverProcess:
    """A running ``leanbe-emitter receiver``."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    @cached_property
    def url(self) -> str:
        """The URL of the receiver; waits until it listens.

        Raises:
            Failed: the receiver did not start; the hint is its output.
        """
        line = self._stdout.readline()
        if not line:
            self._process.wait()
            stderr = self._process.stderr.read() if self._process.stderr else ""
            raise Failed("The receiver did not start.", hint=stderr.strip())
        return str(json.loads(line)["url"])

    def verdicts(self) -> Iterator[bool]:
        """Yield for each request, in the order of arrival, whether the receiver verified it."""
        for line in self._stdout:
            yield bool(json.loads(line)["verified"])

    @property
    def _stdout(self) -> IO[str]:
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        return self._process.stdout


@contextmanager
def running_receiver(*, secret: str, fail_first: int, save: Path) -> Iterator[ReceiverProcess]:
    """Run a receiver on a free port until the block ends.

    Args:
        secret: the secret to verify with.
        fail_first: how many requests to answer with 503 first.
        save: the folder for the bodies.
    """
    arguments = ["--port", "0", "--fail-first", str(fail_first), "--save", str(save)]
    process = subprocess.Popen(  # noqa: S603 - our own program
        [
            *(sys.executable, "-m", "leanbe_emitter", "receiver", "--output", "jsonl"),
            # Every user of the machine can list arguments, so the secret is none of them.
            *("--secret", "env:LEANBE_EMITTER_DEMO_SECRET", *arguments),
        ],
        env={**os.environ, "LEANBE_EMITTER_DEMO_SECRET": secret},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield ReceiverProcess(process)
        finally:
            stop(process)
