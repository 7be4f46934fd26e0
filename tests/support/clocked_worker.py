"""A worker with a clock that the test sets: ``python -m tests.support.clocked_worker DB FILE``.

The file contains the difference between its clock and the machine's clock, in seconds. The worker
reads the file whenever it needs the time.
"""

import sys
from datetime import datetime, timedelta
from pathlib import Path

from leanbe_emitter import Leanbe, Settings
from leanbe_emitter.cli.invocation.log_setup import configure_log
from leanbe_emitter.clock import SystemClock
from leanbe_emitter.settings import LogLevel


class ShiftedClock(SystemClock):
    """The machine's clock plus a difference."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.shift()

    def shift(self, *, hours: int = 0) -> None:
        """Set the clock a number of hours ahead of the machine's clock."""
        new = self._file.with_suffix(".new")
        new.write_text(str(hours * 3600))
        new.rename(self._file)

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=int(self._file.read_text()))


if __name__ == "__main__":
    db, file = sys.argv[1:]
    configure_log(LogLevel.WARNING, as_json=False)
    # The worker has to poll: nothing tells it of a new time.
    settings = Settings(lease_seconds=3, poll_seconds=0.05)
    with Leanbe(db, clock=ShiftedClock(Path(file)), settings=settings) as leanbe:
        leanbe.work()
