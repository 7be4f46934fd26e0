"""The command line in tests: in this process, or as a process of its own."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

from leanbe_emitter.cli.app import main
from tests.support.warm_process import process_class

#: The program as a process of its own; warnings are errors, as in all tests.
PROGRAM = (sys.executable, "-W", "error", "-m", "leanbe_emitter")


@dataclass(frozen=True, kw_only=True)
class Ran:
    """Status and output of a run of the program."""

    status: int
    stdout: str
    stderr: str


#: The fixture ``cli``: a function that runs the program in this process, in a temporary folder.
Cli = Callable[..., Ran]


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> Ran:
    """Run the program in this process."""
    capsys.readouterr()
    status = main(arguments)
    captured = capsys.readouterr()
    return Ran(status=status, stdout=captured.out, stderr=captured.err)


def run_on_terminal(*arguments: str, typed: str = "", **environ: str) -> Ran:
    """Run the program in this process on a terminal of 80 columns.

    Args:
        arguments: the words after the program's name.
        typed: the text that the user types.
        environ: more variables.

    Returns:
        The run; its stdout is everything that the terminal shows.
    """
    ours, its = os.openpty()
    shown: list[bytes] = []
    reader = threading.Thread(target=_read_to_end, args=(ours, shown))
    os.write(ours, typed.encode())
    reader.start()
    with pytest.MonkeyPatch.context() as patch, open(its, "w", encoding="utf-8") as screen:  # noqa: PTH123 - a descriptor
        patch.delenv("NO_COLOR", raising=False)
        for name, value in {"COLUMNS": "80", "TERM": "xterm", **environ}.items():
            patch.setenv(name, value)
        with open(os.dup(its), encoding="utf-8") as keyboard:  # noqa: PTH123 - a descriptor
            for name, stream in {"stdin": keyboard, "stdout": screen, "stderr": screen}.items():
                patch.setattr(sys, name, stream)
            status = main(arguments)
    reader.join()
    os.close(ours)
    return Ran(status=status, stdout=b"".join(shown).decode().replace("\r\n", "\n"), stderr="")


def _read_to_end(descriptor: int, shown: list[bytes]) -> None:
    with suppress(OSError):  # the terminal's other end is closed
        while part := os.read(descriptor, 65536):
            shown.append(part)


def run_process(
    *arguments: str,
    cwd: Path,
    stdin: bytes = b"",
    environ: Mapping[str, str] | None = None,
    program: Sequence[str] = PROGRAM,
) -> Ran:
    """Run the program as a process in a folder, and wait for its end."""
    command, variables = [*program, *arguments], environment(environ)
    with process_class(command, variables)(
        command,
        cwd=cwd,
        env=variables,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            stdout, stderr = process.communicate(stdin, timeout=120)
        finally:
            process.kill()
    return Ran(status=process.returncode, stdout=stdout.decode(), stderr=stderr.decode())


@contextmanager
def start_program(
    *arguments: str,
    cwd: Path,
    environ: Mapping[str, str] | None = None,
    program: Sequence[str] = PROGRAM,
    stderr: int = subprocess.PIPE,
) -> Iterator[subprocess.Popen[str]]:
    """Start the program as a process in a folder, and kill it after the block."""
    command, variables = [*program, *arguments], environment(environ)
    with process_class(command, variables)(
        command,
        cwd=cwd,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()
            process.communicate()


def next_line(stream: IO[str] | None) -> str:
    """Return the next line that a process prints."""
    assert stream is not None
    return stream.readline().rstrip("\n")


def next_line_with(words: str, stream: IO[str] | None) -> str:
    """Return the next line that contains these words; empty if none comes."""
    assert stream is not None
    return next((line.rstrip("\n") for line in stream if words in line), "")


def wait_for_end(
    process: subprocess.Popen[str], by: signal.Signals | None = None
) -> tuple[int, str, str]:
    """Wait for a process to end, by a signal if one is given; return status, stdout and stderr."""
    if by is not None:
        process.send_signal(by)
    stdout, stderr = process.communicate(timeout=60)
    return process.returncode, stdout, stderr


def handles_signal(process: subprocess.Popen[str], which: signal.Signals) -> bool:
    """Say whether a process handles a signal itself."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    mask = next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(int(mask, 16) >> (which - 1) & 1)


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return this process's variables without ``LEANBE_EMITTER_*``, plus the given ones."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("LEANBE_EMITTER_")}
    return {**kept, **(more or {})}


def environment_without_pytest() -> dict[str, str]:
    """Return these variables without pytest's, for a pytest that a test starts."""
    return {name: value for name, value in environment().items() if "PYTEST" not in name}
