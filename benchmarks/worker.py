"""A worker as a process: it delivers until nothing is due any more, and tells what that took.

Without ``drain`` it goes on until it is killed. ``accepts`` puts in the network's place what
accepts everything at once. ``lines`` is the command ``worker --drain`` with all of its defaults, in
this process, whose lines are written to that file.
"""

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from benchmarks.engine import AcceptingTransport
from benchmarks.processes import measured, options, say, wait_for_word
from leanbe_emitter import Leanbe, Settings
from leanbe_emitter.__main__ import main as program


def _work(*, db: str, accepts: bool = False, drain: bool = True, **limits: Any) -> None:
    transport = AcceptingTransport() if accepts else None
    with Leanbe(db, settings=Settings(db=db), transport=transport) as leanbe:
        leanbe.due()
        gc.collect()
        say(ready=True)
        wait_for_word()
        with measured() as result:
            leanbe.work(drain=drain, **limits)
        say(**result)


def _command(*, db: str, lines: str) -> None:
    with Leanbe(db) as leanbe:
        leanbe.due()  # so that the driver is loaded
    _drain(f"sqlite:///{lines}.db", lines)  # so that the command is
    gc.unfreeze()  # it froze what is loaded at its end, which the measured one must do itself
    gc.collect()
    say(ready=True)
    wait_for_word()
    with measured() as result:
        _drain(db, lines)
    say(**result)


def _drain(db: str, lines: str) -> None:
    """Run the command; it leaves as a program does."""
    sys.argv = ["leanbe-emitter", "worker", "--drain", "--quiet", "--db", db]
    with _written_to(lines), suppress(SystemExit):
        program()


@contextmanager
def _written_to(file: str) -> Iterator[None]:
    """Let this process write its lines to a file until the block ends."""
    sys.stdout.flush()
    kept = os.dup(1)
    with Path(file).open("wb") as opened:
        os.dup2(opened.fileno(), 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)


def _run(**how: Any) -> None:
    (_command if "lines" in how else _work)(**how)


if __name__ == "__main__":
    _run(**options())
