"""A Python that has imported the program already, and forks for each start of it.

Importing takes most of the time of a short process. A fork that imported before does all else that
``python -m MODULE ARGUMENT...`` does: it has its own arguments, folder, variables and
streams, and its own end. ``warm_process`` starts this module and speaks with it.
"""

import gc
import importlib
import io
import json
import os
import pkgutil
import runpy
import selectors
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import leanbe_emitter

#: Bytes of the longest request: it contains the variables of a process.
LONGEST_REQUEST = 1 << 18
#: What the program imports when it first needs it.
_LATER = (
    "encodings.idna",
    "psycopg",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite.pysqlite",
    "tests.support.fault_receiver",
    "tests.support.loopback_receiver",
    "uvicorn.lifespan.on",
    "uvicorn.protocols.http.httptools_impl",
)
#: What a user's suite imports, but no framework: which of them are there makes a difference.
_SUITE = ("leanbe_emitter.testing", "pytest", "sqlalchemy.dialects.sqlite.pysqlite")
_STREAMS = ("stdin", "stdout", "stderr")
#: Parts of the package that import what only their users have, or that run as they are imported.
_LEFT_OUT = ("__main__", "pytest_plugin", "testing", "snippets")


@dataclass(frozen=True, kw_only=True)
class Start:
    """A process to become.

    Attributes:
        module: the module to run as ``__main__``.
        streams: file descriptors of stdin, stdout and stderr.
    """

    module: str
    arguments: list[str]
    folder: str
    variables: dict[str, str]
    streams: list[int]

    def run(self) -> None:
        """Be ``python -m module arguments`` from here on."""
        for number, (name, stream) in enumerate(zip(_STREAMS, self.streams, strict=True)):
            os.dup2(stream, number)
            os.close(stream)
            _open_again(name, number)
        os.chdir(self.folder)
        os.environ.clear()
        os.environ.update(self.variables)
        tempfile.tempdir = None
        sys.argv, sys.path[0] = [self.module, *self.arguments], self.folder
        runpy.run_module(self.module, run_name="__main__", alter_sys=True)


def _open_again(name: str, number: int) -> None:
    """Open a standard stream as Python does at its start: there it asks what the stream can do."""
    old = getattr(sys, name)
    mode, buffering = "rb" if name == "stdin" else "wb", 0 if old.write_through else -1
    binary = open(number, mode, buffering, closefd=False)  # noqa: SIM115 - stays to the end
    new = io.TextIOWrapper(
        binary,
        encoding=old.encoding,
        errors=old.errors,
        line_buffering=old.line_buffering,
        write_through=old.write_through,
    )
    for each in (name, f"__{name}__"):
        setattr(sys, each, new)


def next_start(control: socket.socket, shells: socket.socket) -> Start | None:
    """Fork for each request; return what to become in the child, and None at the end.

    Args:
        control: the connection of the tests: each request comes with a socket for the reports. Its
            end is the end.
        shells: where the command of a shell connects: it is told on its connection.
    """
    with selectors.PollSelector() as selector:
        selector.register(control, selectors.EVENT_READ)
        selector.register(shells, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                start = None
                if key.data is not None:
                    _report_end(selector, key)
                elif key.fileobj is shells:
                    reports, _ = shells.accept()
                    if (request := _received(reports)) is not None:
                        start = _forked(selector, *request, reports)
                elif (request := _received(control)) is None:
                    return None
                else:
                    reports = socket.socket(fileno=request[1].pop())
                    start = _forked(selector, *request, reports)
                if start is not None:
                    return start


def _received(control: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    message, descriptors, _, _ = socket.recv_fds(control, LONGEST_REQUEST, 4)
    return (json.loads(message), descriptors) if message else None


def _forked(
    selector: selectors.BaseSelector,
    request: dict[str, Any],
    streams: list[int],
    reports: socket.socket,
) -> Start | None:
    """Fork; return None in the parent, which tells the child's number."""
    process = os.fork()
    if process == 0:
        _forget(selector)
        reports.close()
        return Start(**request, streams=streams)
    for stream in streams:
        os.close(stream)
    reports.send(str(process).encode())
    selector.register(os.pidfd_open(process), selectors.EVENT_READ, (process, reports))
    return None


def _forget(selector: selectors.BaseSelector) -> None:
    """Close what belongs to the parent."""
    for key in selector.get_map().values():
        if key.data is None:
            continue
        os.close(key.fd)
        key.data[1].close()


def _report_end(selector: selectors.BaseSelector, key: selectors.SelectorKey) -> None:
    process, reports = key.data
    _, status = os.waitpid(process, 0)
    selector.unregister(key.fileobj)
    os.close(key.fd)
    with reports, suppress(BrokenPipeError):  # a command that was killed waits no more
        reports.send(str(status).encode())


def _names_of_program() -> Iterator[str]:
    for each in pkgutil.walk_packages(leanbe_emitter.__path__, "leanbe_emitter."):
        if each.name.split(".")[1] not in _LEFT_OUT:
            yield each.name
    yield from _LATER


def main() -> None:
    """Import, fork for whoever asks, and become what is asked for in each child."""
    control_number, shells_number, kind = sys.argv[1:]
    for name in _SUITE if kind == "suite" else _names_of_program():
        importlib.import_module(name)
    assert threading.active_count() == 1, "a thread would be missing after a fork"
    gc.collect()
    gc.freeze()
    with (
        socket.socket(fileno=int(control_number)) as control,
        socket.socket(fileno=int(shells_number)) as shells,
    ):
        # Whoever presses Ctrl-C means the tests, which end this one by closing the connection.
        start = next_start(control, shells)
    if start is not None:
        start.run()


if __name__ == "__main__":
    main()
