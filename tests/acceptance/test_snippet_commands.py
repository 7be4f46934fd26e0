"""The command that stands at the top of a printed receiver in Python starts it.

The tests of the other receivers start all of them by that command (``test_snippets``).
"""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from tests.support.command_line import environment, run_process
from tests.support.running_snippets import COMMAND

ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")


@pytest.fixture(params=["fastapi", "flask"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a receiver that its own command started, on a port that was free."""
    printed = run_process("snippet", request.param, cwd=tmp_path).stdout
    (tmp_path / "receiver.py").write_text(printed, "utf-8")
    command = COMMAND.search(printed)
    assert command is not None
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with subprocess.Popen(
        ["bash", "-c", command[0].replace("8000", "0")],
        cwd=tmp_path,
        env=environment({"PATH": path}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        try:
            yield f"{address_in(process.stdout)}/hooks/leanbe"
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def address_in(lines: Iterable[str]) -> str:
    """Return the address that the receiver prints when it listens, without reading on."""
    return next(found[0] for line in lines if (found := ADDRESS.search(line)))


def test_the_receiver_runs_as_its_first_lines_say(url: str, tmp_path: Path) -> None:
    right = run_process("send", "--to", url, "--secret", "whsec_test", "idea.created", cwd=tmp_path)
    wrong = run_process("send", "--to", url, "--secret", "another", "idea.created", cwd=tmp_path)
    assert (right.status, "204 No Content" in right.stdout) == (0, True)
    assert (wrong.status, "401 Unauthorized" in wrong.stdout) == (1, True)
