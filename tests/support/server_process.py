"""The command ``serve`` as a process, for tests that use the API over HTTP."""

import json
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.support.command_line import PROGRAM, next_line, start_program, wait_for_end


@dataclass(kw_only=True)
class RunningServer:
    """A server's process, its first line, and a client of its API."""

    process: subprocess.Popen[str]
    ready: dict[str, Any]
    client: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        token = self.ready["token"]
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        url = f"{self.ready['url']}/api/v1"
        self.client = httpx.Client(base_url=url, headers=headers, timeout=60, trust_env=False)

    def end(self, number: signal.Signals) -> tuple[int, str]:
        """Send a signal; return the exit status and stderr."""
        status, _, stderr = wait_for_end(self.process, number)
        return status, stderr


@contextmanager
def run_server(
    folder: Path,
    *arguments: str,
    environ: Mapping[str, str] | None = None,
    program: Sequence[str] = PROGRAM,
) -> Iterator[RunningServer]:
    """Run a server on a free port until the block ends."""
    command = ("serve", "--port", "0", "--output", "json", *arguments)
    with start_program(*command, cwd=folder, environ=environ, program=program) as process:
        line = next_line(process.stdout)
        assert line, process.communicate()[1]
        served = RunningServer(process=process, ready=json.loads(line))
        with served.client:
            yield served


def run_installed(
    site: Path, *options: str, **environ: str
) -> AbstractContextManager[RunningServer]:
    """Run a server of the package that a folder holds, instead of the checkout's."""
    return run_server(site, *options, environ={"PYTHONPATH": str(site), **environ})
