"""The values of the global options, and what follows: settings, output format, notices, log."""

import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from leanbe_emitter.cli.invocation import log_setup, output
from leanbe_emitter.cli.invocation.output import Column, Document, OutputFormat
from leanbe_emitter.cli.invocation.terminal import Terminal
from leanbe_emitter.settings import LogLevel, Settings
from leanbe_emitter.wire.durations import format_duration

if TYPE_CHECKING:
    from leanbe_emitter.delivery.queue.due_queries import Due


@dataclass(kw_only=True)
class Invocation:
    """One run of the program; a field is None or false until an option sets it."""

    db: str | None = None
    output: OutputFormat | None = None
    quiet: bool = False
    verbose: bool = False
    log_json: bool = False

    @property
    def output_format(self) -> OutputFormat:
        """The format of the output: by default a table on a terminal, else plain."""
        if self.output is not None:
            return self.output
        return OutputFormat.TABLE if sys.stdout.isatty() else OutputFormat.PLAIN

    def settings(self, **arguments: Any) -> Settings:
        """Return the settings: arguments beat the environment, which beats the defaults.

        Raises:
            InvalidValue: a variable of the environment has a refused value.
        """
        return Settings.from_environment(
            os.environ, db=self.db, log_level=self._log_level(), **arguments
        )

    def configure_log(self) -> None:
        """Configure the log."""
        log_setup.configure_log(self.settings().log_level, as_json=self.log_json)

    def notice(self, text: str) -> None:
        """Print a notice on stderr, unless ``--quiet``; a terminal gets lines that fit."""
        for paragraph in text.splitlines() or [""]:
            for line in Terminal.of(sys.stderr).wrapped(paragraph):
                self.notice_line(line)

    def notice_line(self, line: str) -> None:
        """Print a line on stderr as it is, unless ``--quiet``."""
        if not self.quiet:
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()

    def print_page(
        self, documents: Sequence[Document], cursor: str | None, columns: Sequence[Column]
    ) -> None:
        """Print one page of a list, and a notice where more pages follow.

        Args:
            documents: the page; ``json`` prints it as the API returns it.
            cursor: where the next page begins; None at the end of the list.
            columns: the columns of a table and of ``plain``.
        """
        if self.output_format is OutputFormat.JSON:
            page = {"items": documents, "cursor": cursor}
            output.print_document(self.output_format, page, columns=())
            return
        output.print_rows(self.output_format, documents, columns=columns)
        if cursor is not None:
            self.notice(f"There are more: --after {cursor}")

    def _log_level(self) -> LogLevel | None:
        if self.quiet:
            return LogLevel.ERROR
        return LogLevel.DEBUG if self.verbose else None


def backlog_text(due: "Due", *, now: datetime) -> str:
    """Return a sentence about the backlog: how many deliveries are due, and for how long."""
    return f"{_due(due, now)}{_in_flight(due)}."


def _due(due: "Due", now: datetime) -> str:
    if due.count == 0 or due.oldest_due_at is None:
        return "Nothing is due"
    return f"{due.count} due, the oldest for {format_duration(int(due.lag_seconds(now)))}"


def _in_flight(due: "Due") -> str:
    if due.in_flight == 0:
        return ""
    return f"; {due.in_flight} in flight (due again when the lease ends, if their worker is gone)"


def notice_events_without_delivery(invocation: Invocation, events: Iterable[str]) -> None:
    """Name the recorded events that have no delivery, if there are any."""
    names = list(dict.fromkeys(events))
    if names:
        invocation.notice(
            f"Recorded without a delivery: {', '.join(names)}. The product has no webhook URL "
            '(webhook set), or its assumption "events" excludes them.'
        )
