"""SQLite's statements have no numbered placeholders: Python 3.12 warns of them with a sequence."""

import re

from leanbe_emitter.storage.queries import journal
from tests.support.engine_setup import Bench, claim, settlement_of
from tests.support.recorded_statements import record_statements


def test_the_queue_and_the_journal_number_no_placeholder(bench: Bench) -> None:
    bench.enqueue(bench.product(), 3)
    bench.enqueue(bench.product("Strict", ordering="strict"), 2)
    queue = bench.queue()
    with record_statements(bench.database) as sent:
        claimed = list(claim(queue))
        queue.renew(claimed)
        queue.release(claimed[:1])
        queue.settle([settlement_of(each) for each in claimed[1:]])
        bench.expire_leases(queue)
        queue.reap()
        with bench.database.reading() as session:
            journal.read(session, journal.START)
    assert sent.sent
    assert [each for each in sent.sent if re.search(r"\?\d", each)] == []
