"""Checks of receivers that run beside the server, each in a thread with an event loop of its own.

They are kept in memory, the last 20, and end with the server. Their requests take their time, and
must not hold up those of the server's loop.
"""

import asyncio
import threading
from collections import OrderedDict
from contextlib import suppress
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from leanbe_emitter.errors import Conflict, LeanbeError, NotFound

if TYPE_CHECKING:
    from leanbe_emitter.conformance.check_url import UrlCheck
    from leanbe_emitter.conformance.report import Report

#: How many checks are kept.
KEPT = 20
#: How long to wait for the end of a check that is ended, in seconds.
STOP_SECONDS = 10.0


class CheckState(StrEnum):
    """The state of a check."""

    #: Requests are being sent.
    RUNNING = "running"
    #: The report is there.
    FINISHED = "finished"
    #: There is no report: ``error`` says why.
    FAILED = "failed"


class BackgroundCheck:
    """One check.

    Args:
        check_id: its id.
        subject: the product's id, or the URL: one check at a time has it.
        check: what runs.

    Attributes:
        state: its state.
    """

    def __init__(self, check_id: str, *, subject: str, check: "UrlCheck") -> None:
        self.id = check_id
        self.subject = subject
        self.state = CheckState.RUNNING
        self._check = check
        self._report: Report | None = None
        self._error = ""
        self._is_stopped = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[Report] | None = None
        self._thread = threading.Thread(target=self._run, name="leanbe-check", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def stop(self) -> None:
        """End it where it is, and wait for its end, but not for ever: its thread is a daemon."""
        self._is_stopped = True
        if self._loop is not None:
            with suppress(RuntimeError):  # its loop has ended by itself
                self._loop.call_soon_threadsafe(self._cancel)
        self._thread.join(STOP_SECONDS)

    def document(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "_id": self.id,
            "state": self.state.value,
            "error": self._error,
            "report": None if self._report is None else self._report.document(),
        }

    def _run(self) -> None:
        with suppress(asyncio.CancelledError), asyncio.Runner() as runner:
            self._loop = runner.get_loop()
            runner.run(self._work())

    async def _work(self) -> None:
        if self._is_stopped:
            return
        self._task = asyncio.ensure_future(self._check.run())
        try:
            self._report = await self._task
            self.state = CheckState.FINISHED
        except LeanbeError as error:
            self._error = f"{error.message} {error.hints.request}".rstrip()
            self.state = CheckState.FAILED
        except Exception as error:
            self._error = f"The check broke off: {type(error).__name__}."
            self.state = CheckState.FAILED
            raise

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()


class BackgroundChecks:
    """The checks of a server."""

    def __init__(self) -> None:
        self._checks: OrderedDict[str, BackgroundCheck] = OrderedDict()
        self._changing = threading.Lock()

    def begin(self, check: BackgroundCheck) -> None:
        """Run a check, and forget the oldest that has ended.

        Raises:
            Conflict: a check of this product or URL runs, or too many run.
        """
        with self._changing:
            self._require_free(check.subject)
            while len(self._checks) >= KEPT:
                del self._checks[self._oldest_ended()]
            self._checks[check.id] = check
            check.start()

    def get(self, check_id: str) -> BackgroundCheck:
        """Return a check.

        Raises:
            NotFound: there is none with this id any more.
        """
        found = self._checks.get(check_id)
        if found is None:
            raise NotFound(
                f"There is no check {check_id!r}.",
                hint=f"The server keeps the last {KEPT}, until it ends.",
            )
        return found

    def end(self, check_id: str) -> None:
        """End a check, and forget it.

        Raises:
            NotFound: there is none with this id any more.
        """
        found = self.get(check_id)
        found.stop()
        with self._changing:
            self._checks.pop(check_id, None)

    def end_all(self) -> None:
        """End all checks, and forget them."""
        for each in list(self._checks):
            self.end(each)

    def _require_free(self, subject: str) -> None:
        for each in self._checks.values():
            if each.subject == subject and each.state is CheckState.RUNNING:
                raise Conflict(
                    "A check of this receiver runs already.",
                    hint=f"Wait for it, or end it: DELETE /checks/{each.id}.",
                )

    def _oldest_ended(self) -> str:
        for key, each in self._checks.items():
            if each.state is not CheckState.RUNNING:
                return key
        raise Conflict(f"{KEPT} checks run already.", hint="Wait for one of them.")
