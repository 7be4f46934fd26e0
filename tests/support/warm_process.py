"""Processes of the program that are forked from a Python which has imported it already.

A process that is started so is a process of its own: with its number, streams, signals and status.
A real start stays where a test is about starting, or where Python itself is set up otherwise.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tests.support.doc_pages import ROOT
from tests.support.warm_python import LONGEST_REQUEST

#: How a command starts that can be forked, by what is imported: warnings of the program are errors.
STARTS = {
    "program": (sys.executable, "-W", "error", "-m"),
    "suite": (sys.executable, "-m", "pytest"),
    "benchmark": (sys.executable, "-m", "benchmarks."),
}
#: How a module of the program, or of the tests, is started.
START = STARTS["program"]
#: Variables that Python itself reads as it starts.
_READ_BY_PYTHON = ("PYTHON", "LANG", "LC_", "TZ", "LD_", "MALLOC_")


@dataclass(frozen=True, kw_only=True)
class _WarmPython:
    """A process that forks, the connection to it, and a folder with the command for shells."""

    process: subprocess.Popen[bytes]
    control: socket.socket
    folder: tempfile.TemporaryDirectory[str]

    @classmethod
    def started(cls, kind: str) -> Self:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, LONGEST_REQUEST)
        flags = STARTS[kind][: STARTS[kind].index("-m") + 1]
        folder = tempfile.TemporaryDirectory(prefix="leanbe-emitter-warm-")
        with theirs, socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as shells:
            shells.bind(_write_command(Path(folder.name)))
            shells.listen()
            numbers = (theirs.fileno(), shells.fileno())
            process = subprocess.Popen(
                [*flags, "tests.support.warm_python", *map(str, numbers), kind],
                cwd=ROOT,
                pass_fds=numbers,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
        return cls(process=process, control=ours, folder=folder)

    def stop(self) -> None:
        self.control.close()
        self.process.wait()
        self.folder.cleanup()


def _write_command(folder: Path) -> str:
    """Write the command for shells; return the address at which it asks for a process."""
    address = str(folder / "socket")
    command = folder / "leanbe-emitter"
    text = Path(__file__).with_name("warm_command.py").read_text("utf-8")
    # It imports what it needs to ask, and nothing from site-packages.
    command.write_text(f"#!{sys.executable} -IS\n{text.replace('@ADDRESS@', address)}", "utf-8")
    command.chmod(0o755)
    return address


_running: dict[str, _WarmPython] = {}
_starting = threading.Lock()


def _running_python(kind: str) -> _WarmPython:
    if kind not in _running:
        _running[kind] = _WarmPython.started(kind)
    return _running[kind]


def path_of_shells() -> str:
    """Return a ``PATH`` on which ``leanbe-emitter`` is a fork of the program.

    What else is installed with it follows, and what the machine has.
    """
    with _starting:
        folder = _running_python("program").folder.name
    return os.pathsep.join([folder, str(Path(sys.executable).parent), os.environ["PATH"]])


def stop_warm_pythons() -> None:
    """End the processes that fork."""
    while _running:
        _running.popitem()[1].stop()


class WarmProcess(subprocess.Popen[Any]):
    """A process that was forked: the three steps of ``Popen`` that differ."""

    kind = "program"
    _reports: socket.socket

    def _execute_child(  # noqa: PLR0917 - Popen's own
        self,
        args: Sequence[str],
        _executable: object,
        _preexec_fn: object,
        _close_fds: object,
        _pass_fds: object,
        cwd: os.PathLike[str] | str | None,
        env: Mapping[str, str] | None,
        _startupinfo: object,
        _creationflags: object,
        _shell: object,
        p2cread: int,
        p2cwrite: int,
        c2pread: int,
        c2pwrite: int,
        errread: int,
        errwrite: int,
        *_others: object,
    ) -> None:
        module, *arguments = args[args.index("-m") + 1 :]
        request = {
            "module": module,
            "arguments": arguments,
            "folder": str(Path(cwd or ".").resolve()),
            "variables": dict(os.environ if env is None else env),
        }
        streams = [
            own if own != -1 else number for number, own in enumerate((p2cread, c2pwrite, errwrite))
        ]
        self._reports, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, _starting:
            control, message = _running_python(self.kind).control, json.dumps(request).encode()
            socket.send_fds(control, [message], [*streams, theirs.fileno()])
        self.pid = int(self._reports.recv(64))
        self._child_created = True
        self._close_pipe_fds(p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite)  # type: ignore[attr-defined]

    def _try_wait(self, wait_flags: int) -> tuple[int, int]:
        """Return the number and the status of a process that ended, or zeros."""
        try:
            status = self._reports.recv(64, socket.MSG_DONTWAIT if wait_flags else 0)
        except BlockingIOError:
            return 0, 0
        self._reports.close()
        return self.pid, int(status)

    def _internal_poll(self, *_arguments: object, **_named: object) -> int | None:
        # Another thread that waits holds the lock: nothing is known yet.
        if self.returncode is None and self._waitpid_lock.acquire(blocking=False):  # type: ignore[attr-defined]
            try:
                process, status = self._try_wait(os.WNOHANG)
                if process:
                    self._handle_exitstatus(status)  # type: ignore[attr-defined]
            finally:
                self._waitpid_lock.release()  # type: ignore[attr-defined]
        return self.returncode


class WarmSuite(WarmProcess):
    """The same for a suite of a user."""

    kind = "suite"


class WarmBenchmark(WarmProcess):
    """The same for a process of a benchmark."""

    kind = "benchmark"


def process_class(
    command: Sequence[str], environ: Mapping[str, str]
) -> type[subprocess.Popen[Any]]:
    """Return what starts this command with these variables: a fork if it can be one."""
    if hasattr(os, "pidfd_open") and _of_python(environ) == _of_python(os.environ):
        for each in (WarmProcess, WarmSuite, WarmBenchmark):
            if " ".join(command).startswith(" ".join(STARTS[each.kind])):
                return each
    return subprocess.Popen


def _of_python(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: each for name, each in environ.items() if name.startswith(_READ_BY_PYTHON)}
