"""A process that delivers all due deliveries of a database, or records events.

``python -m tests.support.delivering_process DB drain`` or ``... DB trigger EVENT...``.
"""

import sys

from leanbe_emitter import Leanbe, TriggerRequest

if __name__ == "__main__":
    db, command, *events = sys.argv[1:]
    with Leanbe(db) as leanbe:
        if command == "drain":
            leanbe.work(drain=True)
        else:
            leanbe.trigger_all(TriggerRequest(events=events))
