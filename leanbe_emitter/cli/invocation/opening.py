"""How commands come to the library: it is loaded, and the database opened, when a command runs."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from leanbe_emitter.cli.invocation.invocation import Invocation

if TYPE_CHECKING:
    from leanbe_emitter.library import Leanbe, Product
    from leanbe_emitter.library.trigger.recorder import Recorder
    from leanbe_emitter.storage.engine.database import Database


@contextmanager
def open_leanbe(
    invocation: Invocation, *, clock: Literal["manual", "system"] | None = None, **arguments: Any
) -> Iterator["Leanbe"]:
    """Open the database of an invocation and close it at the end.

    A file of SQLite that is made by this is told of on stderr.

    Args:
        invocation: whose global options say where the database is.
        clock: whose the database's clock is to be from now on; None: as it is.
        arguments: further settings that options of the command gave.
    """
    from leanbe_emitter.library import Leanbe  # noqa: PLC0415 - loads SQLAlchemy

    settings = invocation.settings(**arguments)
    with Leanbe(settings.db, settings=settings, clock=clock) as leanbe:
        _tell_if_created(invocation, created=leanbe.created)
        yield leanbe


@contextmanager
def open_recorder(invocation: Invocation) -> Iterator["Recorder"]:
    """Open the database for who only records events: that loads half of what ``opened`` does."""
    from leanbe_emitter.library.trigger.recorder import Recorder  # noqa: PLC0415 - loads SQLAlchemy

    with Recorder(invocation.settings()) as recorder:
        _tell_if_created(invocation, created=recorder.created)
        yield recorder


@contextmanager
def open_database(url: str) -> Iterator["Database"]:
    """Reach a database as it is, whatever tables it has, and close it at the end."""
    from leanbe_emitter.storage.engine.database import Database  # noqa: PLC0415 - loads SQLAlchemy

    database = Database(url)
    try:
        yield database
    finally:
        database.close()


def select_product(leanbe: "Leanbe", product: str | None) -> "Product":
    """Return the product that ``--product`` names, or the only one there is.

    Raises:
        NotFound: there is none of that name, or none at all.
        InvalidValue: there are several, and none was named.
    """
    return leanbe.products.only() if product is None else leanbe.products.get(product)


def product_assumptions(invocation: Invocation, product: str | None) -> Mapping[str, str]:
    """Return the assumptions that were set for a product; none, and no look, without a product."""
    if product is None:
        return {}
    with open_leanbe(invocation) as leanbe:
        return leanbe.assumptions.of(product)


def database_exists(url: str) -> bool:
    """Say whether there is a database to be opened: opening a file of SQLite would make it."""
    scheme, is_file, path = url.partition("sqlite:///")
    return bool(scheme) or not is_file or Path(path.partition("?")[0]).exists()


def _tell_if_created(invocation: Invocation, *, created: bool) -> None:
    if created:
        invocation.notice(f"Created the database {invocation.settings().db}.")
