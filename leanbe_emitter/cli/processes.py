"""Processes of our own program that a command starts, and ends when it is done."""

import subprocess

#: How long one may take to end when it is told to, in seconds.
STOP_SECONDS = 10


def stop(process: "subprocess.Popen[str]") -> None:
    """Tell a process to end, and see to it that it does."""
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
