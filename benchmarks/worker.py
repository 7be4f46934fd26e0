"""A worker as a process: it delivers until nothing is due any more, and tells what that took.

Without ``drain`` it goes on until it is killed. ``accepts`` puts in the network's place what
accepts everything at once.
"""

import gc
from typing import Any

from benchmarks.engine import AcceptingTransport
from benchmarks.processes import measured, options, say, wait_for_word
from leanbe_emitter import Leanbe, Settings


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


if __name__ == "__main__":
    _work(**options())
