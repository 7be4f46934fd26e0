"""A process that records events at an even rate, for the worker of another process."""

import time

from benchmarks.processes import options, say, wait_for_word
from leanbe_emitter import Leanbe, TriggerRequest

#: How often a second events are recorded.
_TURNS = 50


def _record(*, db: str, rate: int, seconds: float) -> None:
    with Leanbe(db) as leanbe:
        request = TriggerRequest(events=["idea.created"], times=max(1, rate // _TURNS))
        say(ready=True)
        wait_for_word()
        at = time.perf_counter()
        end, recorded = at + seconds, 0
        while at < end:
            leanbe.trigger_all(request, deliver=False)
            recorded += request.times
            at += 1 / _TURNS
            time.sleep(max(0.0, at - time.perf_counter()))
        say(recorded=recorded)


if __name__ == "__main__":
    _record(**options())
