"""One run of the program: the global options, and what follows from them.

That is settings, output format, notices and log, and the library with the database open. A command
loads the library when it opens it.
"""

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from leanbe_emitter.cli.invocation import log_setup, output
from leanbe_emitter.cli.invocation.output import Column, OutputFormat
from leanbe_emitter.cli.invocation.terminal import Terminal
from leanbe_emitter.settings import LogLevel, Settings
from leanbe_emitter.wire.durations import format_duration

if TYPE_CHECKING:
    from leanbe_emitter.delivery.queue.due_queries import Due
    from leanbe_emitter.library import Leanbe, Page, Product
    from leanbe_emitter.library.documents.documents_handle import Documents
    from leanbe_emitter.library.trigger.recorder import Recorder
    from leanbe_emitter.storage.engine.database import Database


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

    def print_page(self, page: "Page[Any]", columns: Sequence[Column]) -> None:
        """Print one page of a list, and a notice where more pages follow.

        Args:
            page: the page; ``json`` prints it as the API returns it.
            columns: the columns of a table and of ``plain``.
        """
        documents = [each.document() for each in page]
        if self.output_format is OutputFormat.JSON:
            whole = {"items": documents, "cursor": page.cursor}
            output.print_document(self.output_format, whole, columns=())
            return
        output.print_rows(self.output_format, documents, columns=columns)
        if page.cursor is not None:
            self.notice(f"There are more: --after {page.cursor}")

    @contextmanager
    def open_leanbe(
        self, *, clock: Literal["manual", "system"] | None = None, **arguments: Any
    ) -> Iterator["Leanbe"]:
        """Open the database, and close it when the block ends.

        A notice says if this creates a SQLite file.

        Args:
            clock: the database's clock from now on; None leaves it unchanged.
            arguments: further settings from the command's options.
        """
        from leanbe_emitter.library import Leanbe  # noqa: PLC0415 - loads SQLAlchemy

        settings = self.settings(**arguments)
        with Leanbe(settings.db, settings=settings, clock=clock) as leanbe:
            self._notice_if_created(created=leanbe.created)
            yield leanbe

    @contextmanager
    def open_documents(self) -> Iterator["Documents"]:
        """Open the database for its documents only: this loads much less than ``open_leanbe``."""
        from leanbe_emitter.library.documents.documents_handle import Documents  # noqa: PLC0415 - loads SQLAlchemy

        with Documents(self.settings()) as documents:
            self._notice_if_created(created=documents.created)
            yield documents

    @contextmanager
    def open_recorder(self) -> Iterator["Recorder"]:
        """Open the database only to record events: this loads half as much as ``open_leanbe``."""
        from leanbe_emitter.library.trigger.recorder import Recorder  # noqa: PLC0415 - loads SQLAlchemy

        with Recorder(self.settings()) as recorder:
            self._notice_if_created(created=recorder.created)
            yield recorder

    def _notice_if_created(self, *, created: bool) -> None:
        if created:
            self.notice(f"Created the database {self.settings().db}.")

    def _log_level(self) -> LogLevel | None:
        if self.quiet:
            return LogLevel.ERROR
        return LogLevel.DEBUG if self.verbose else None


@contextmanager
def open_database(url: str) -> Iterator["Database"]:
    """Open a database without checking its tables, and close it when the block ends."""
    from leanbe_emitter.storage.engine.database import Database  # noqa: PLC0415 - loads SQLAlchemy

    database = Database(url)
    try:
        yield database
    finally:
        database.close()


def select_product(leanbe: "Leanbe", product: str | None) -> "Product":
    """Return the product that ``--product`` names, or the only product.

    Raises:
        NotFound: there is no such product, or none at all.
        InvalidValue: there are several products, and ``--product`` is missing.
    """
    return leanbe.products.only() if product is None else leanbe.products.get(product)


def product_assumptions(invocation: Invocation, product: str | None) -> Mapping[str, str]:
    """Return the stored assumptions of a product: the named one, or the only one.

    Without any product, nothing is stored: every assumption has its default.
    """
    if product is None and not database_exists(invocation.settings().db):
        return {}
    with invocation.open_leanbe() as leanbe:
        if product is None and not leanbe.products.list():
            return {}
        return leanbe.assumptions.of(select_product(leanbe, product))


def database_exists(url: str) -> bool:
    """Return whether the database exists: to open a SQLite file would create it."""
    scheme, is_file, path = url.partition("sqlite:///")
    return bool(scheme) or not is_file or Path(path.partition("?")[0]).exists()


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
