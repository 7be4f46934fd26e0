"""The ways of commands into the library: loading it and opening the database when one runs."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from leanbe_emitter.cli.invocation.invocation import Invocation

if TYPE_CHECKING:
    from leanbe_emitter.library import Leanbe, Product
    from leanbe_emitter.library.documents.documents_handle import Documents
    from leanbe_emitter.library.trigger.recorder import Recorder
    from leanbe_emitter.storage.engine.database import Database


@contextmanager
def open_leanbe(
    invocation: Invocation, *, clock: Literal["manual", "system"] | None = None, **arguments: Any
) -> Iterator["Leanbe"]:
    """Open the database of a run, and close it when the block ends.

    A notice says if this creates a SQLite file.

    Args:
        invocation: the run; its global options name the database.
        clock: the database's clock from now on; None leaves it unchanged.
        arguments: further settings from the command's options.
    """
    from leanbe_emitter.library import Leanbe  # noqa: PLC0415 - loads SQLAlchemy

    settings = invocation.settings(**arguments)
    with Leanbe(settings.db, settings=settings, clock=clock) as leanbe:
        _notice_if_created(invocation, created=leanbe.created)
        yield leanbe


@contextmanager
def open_documents(invocation: Invocation) -> Iterator["Documents"]:
    """Open the database for its documents only: this loads much less than ``open_leanbe``."""
    from leanbe_emitter.library.documents.documents_handle import Documents  # noqa: PLC0415 - loads SQLAlchemy

    with Documents(invocation.settings()) as documents:
        _notice_if_created(invocation, created=documents.created)
        yield documents


@contextmanager
def open_recorder(invocation: Invocation) -> Iterator["Recorder"]:
    """Open the database only to record events: this loads half as much as ``open_leanbe``."""
    from leanbe_emitter.library.trigger.recorder import Recorder  # noqa: PLC0415 - loads SQLAlchemy

    with Recorder(invocation.settings()) as recorder:
        _notice_if_created(invocation, created=recorder.created)
        yield recorder


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
    with open_leanbe(invocation) as leanbe:
        if product is None and not leanbe.products.list():
            return {}
        return leanbe.assumptions.of(select_product(leanbe, product))


def database_exists(url: str) -> bool:
    """Return whether the database exists: to open a SQLite file would create it."""
    scheme, is_file, path = url.partition("sqlite:///")
    return bool(scheme) or not is_file or Path(path.partition("?")[0]).exists()


def _notice_if_created(invocation: Invocation, *, created: bool) -> None:
    if created:
        invocation.notice(f"Created the database {invocation.settings().db}.")
