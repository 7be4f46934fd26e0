"""The commands ``db ...``: the database's tables, their revision, and old records."""

import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from leanbe_emitter.cli.invocation import output, shared_options
from leanbe_emitter.cli.invocation.commands import group, subcommand
from leanbe_emitter.cli.invocation.confirmation import confirm, numbers
from leanbe_emitter.cli.invocation.invocation import Invocation, open_database
from leanbe_emitter.cli.invocation.param_types import AGE
from leanbe_emitter.errors import DatabaseBehind

if TYPE_CHECKING:
    from leanbe_emitter.cli.invocation.output import Document
    from leanbe_emitter.storage.engine.database import Database
    from leanbe_emitter.storage.queries.retention import Pruned

_COLUMNS = [output.column(key) for key in ("state", "revision", "newest", "db")]
_PRUNED = [
    output.column("events"),
    output.column("deliveries"),
    output.column("attempts"),
    output.column("journalEntries", title="journal entries"),
]


@group("db", example="leanbe-emitter db check")
def db() -> None:
    """The database's tables.

    The first use of a SQLite file creates or upgrades its tables. For PostgreSQL, run "db upgrade".
    """


@subcommand(db, "upgrade", example="leanbe-emitter db upgrade")
@click.pass_obj
def upgrade(invocation: Invocation) -> None:
    """Create the tables, or upgrade them to the revision of this program."""
    from leanbe_emitter.storage.schema import migrate  # noqa: PLC0415 - loads SQLAlchemy

    with open_database(invocation.settings().db) as database:
        migrate.upgrade(database)
        _show(invocation, database)


@subcommand(db, "current", example="leanbe-emitter db current")
@click.pass_obj
def current(invocation: Invocation) -> None:
    """Show the revision of the tables, and the revision that this program needs."""
    with open_database(invocation.settings().db) as database:
        _require_file(database)
        _show(invocation, database)


@subcommand(db, "check", example="leanbe-emitter db check")
@click.pass_obj
def check(invocation: Invocation) -> None:
    """Check that the database is ready: exit with 0, or with 3 and the reason."""
    from leanbe_emitter.storage.schema import migrate  # noqa: PLC0415 - loads SQLAlchemy

    with open_database(invocation.settings().db) as database:
        _require_file(database)
        schema = migrate.schema_of(database)
        if schema.state is not migrate.SchemaState.CURRENT:
            raise migrate.not_ready(schema)
        _show(invocation, database)


@subcommand(db, "prune", example="leanbe-emitter db prune --older-than 30d")
@click.option(
    "--older-than",
    type=AGE,
    required=True,
    metavar="TIME",
    help="Settled longer ago than this, such as 30d.",
)
@shared_options.yes
@click.pass_obj
def prune(invocation: Invocation, *, older_than: float, yes: bool) -> None:
    """Delete old settled deliveries, and old events without a pending delivery.

    Their attempts and journal entries go, too. Pending deliveries stay, whatever their age. Workers
    can run meanwhile: the command uses small transactions.
    """
    age = timedelta(seconds=older_than)
    with invocation.open_leanbe() as leanbe:
        confirm(lambda: _what(leanbe.prune_dry_run(older_than=age)), yes=yes)
        pruned = leanbe.prune(older_than=age, on_batch=_progress)
    if sys.stderr.isatty():
        sys.stderr.write("\n")
    document: Document = {
        "events": pruned.events,
        "deliveries": pruned.deliveries,
        "attempts": pruned.attempts,
        "journalEntries": pruned.journal_entries,
    }
    output.print_document(invocation.output_format, document, columns=_PRUNED)


def _what(old: "Pruned") -> str:
    counts = {"event": old.events, "delivery": old.deliveries, "attempt": old.attempts}
    there = numbers(counts)
    return there and f"This deletes {there}, and their journal entries."


def _progress(pruned: "Pruned") -> None:
    """Show the progress on a terminal."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{pruned.deliveries} deliveries, {pruned.events} events deleted ")
        sys.stderr.flush()


def _require_file(database: "Database") -> None:
    # To open a SQLite file that does not exist would create it.
    name = database.url.database or ""
    is_file = database.dialect == "sqlite" and name and not name.startswith("file:")
    if is_file and not Path(name).exists():
        raise DatabaseBehind(
            f"There is no database {name!r} yet.",
            hint="Its first use creates it, and so does: leanbe-emitter db upgrade.",
        )


def _show(invocation: Invocation, database: "Database") -> None:
    from leanbe_emitter.storage.engine.database_urls import shown  # noqa: PLC0415 - the same
    from leanbe_emitter.storage.schema import migrate  # noqa: PLC0415 - loads SQLAlchemy

    schema = migrate.schema_of(database)
    document: Document = {
        "state": schema.state,
        "revision": schema.revision,
        "newest": schema.newest,
        "db": shown(database.url),
    }
    output.print_document(invocation.output_format, document, columns=_COLUMNS)
