"""Background jobs of a server, and their end."""

import asyncio
import errno
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from leanbe_emitter import Leanbe, TriggerRequest
from leanbe_emitter.server.serving import _LoopErrors, _prune
from leanbe_emitter.storage.engine.database import Database
from leanbe_emitter.storage.queries.retention import BATCH
from leanbe_emitter.storage.schema.tables import EventRow
from tests.support.event_loops import run_in_loop


@run_in_loop
async def test_a_stop_waits_for_one_batch_of_what_is_too_old_and_not_for_all(
    tmp_path: Path,
) -> None:
    url = f"sqlite:///{tmp_path / 'leanbe.db'}"
    async with Leanbe(url) as leanbe:
        leanbe.products.create("Acme")
        await leanbe.trigger_all(TriggerRequest(events=["idea.created"] * 3 * BATCH), deliver=False)
        with closing(Database(url)) as other, other.transaction() as session:
            session.connection()
            pruning = asyncio.create_task(_prune(leanbe, timedelta(seconds=-1)))
            await asyncio.sleep(0)
            pruning.cancel()
            await asyncio.wait([pruning])
        await asyncio.get_running_loop().shutdown_default_executor()
        with leanbe._database.reading() as session:
            assert session.scalar(select(func.count()).select_from(EventRow)) == 2 * BATCH


@run_in_loop
async def test_connections_that_cannot_be_accepted_are_one_line_of_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_LoopErrors())
    shortage = OSError(errno.EMFILE, "Too many open files")
    for _ in range(5):
        loop.call_exception_handler({"message": "socket.accept() failed", "exception": shortage})
    (told,) = caplog.records
    assert told.getMessage() == "The server can accept no connection at present."
    loop.call_exception_handler({"message": "A bug.", "exception": ValueError("odd")})
    assert "A bug." in caplog.text
