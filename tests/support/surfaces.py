"""The three surfaces as they are, and the table of capabilities that compares them."""

import inspect
from collections.abc import Iterator
from dataclasses import is_dataclass
from datetime import timedelta
from pathlib import Path

import click

import leanbe_emitter
from leanbe_emitter import Leanbe
from leanbe_emitter.domain.users import granting
from leanbe_emitter.hints import Hint
from leanbe_emitter.library.deliveries.waiting import advancing
from leanbe_emitter.wire.faults.catalogue import FAULT_KINDS
from tests.support.api_client import openapi_document
from tests.support.command_tree import all_commands

_TABLE = Path(__file__).parents[1] / "data" / "capabilities.txt"


def list_operations() -> Iterator[tuple[str, str]]:
    """Yield the command and the operation of each list."""
    yield from (
        (command, operation)
        for command, operation in zip(_cells(1), _cells(2), strict=True)
        if command.endswith(" list") and operation.startswith("GET ")
    )


def command_parameters(command: str) -> set[str]:
    """Return the parameters of a command: ``archived``."""
    return {each.name or "" for each in dict(all_commands())[command].params}


def operation_parameters(operation: str) -> set[str]:
    """Return the parameters in an operation's path and query."""
    method, path = operation.split(" ")
    asked = openapi_document(needs_token=False)["paths"][f"/api/v1{path}"][method.lower()]
    return {each["name"] for each in asked.get("parameters", ())}


def table_words(column: int) -> list[str]:
    """Return the words of one surface in the table; cells in brackets are left out.

    Args:
        column: 0 for the library, 1 for the command line, 2 for the API.
    """
    return [cell for cell in _cells(column) if not cell.startswith("(")]


def _cells(column: int) -> list[str]:
    lines = _TABLE.read_text("utf-8").splitlines()
    return [line.split("|")[column].strip() for line in lines if line and line[0] != "#"]


def library_methods() -> Iterator[str]:
    """Yield every public method of a handle and of its parts: ``products.create``."""
    # Each kind of fault has a method of its own, which adds it.
    shorthands = {f"faults.{kind.name}" for kind in FAULT_KINDS}
    with Leanbe() as leanbe:
        product = leanbe.products.create("Acme")
        parts = {**_parts(leanbe), **_parts(product)}
        yield from _methods(leanbe)
        for part, value in [*parts.items(), ("users", leanbe.users)]:
            names = (f"{part}.{name}" for name in _methods(value))
            yield from (name for name in names if name not in shorthands)


def _parts(owner: object) -> dict[str, object]:
    """Return the parts of an object that act; snapshots do not."""
    return {
        name: value
        for name, value in vars(owner).items()
        if type(value).__module__.startswith("leanbe_emitter.library")
        and not (name.startswith("_") or is_dataclass(value))
    }


def _methods(owner: object) -> Iterator[str]:
    for name, value in inspect.getmembers_static(type(owner)):
        if not name.startswith("_") and (inspect.isroutine(value) or isinstance(value, property)):
            yield name


def public_functions() -> set[str]:
    """Return the public functions and classes."""
    return {name for name in leanbe_emitter.__all__ if callable(getattr(leanbe_emitter, name))}


def command_names() -> set[str]:
    """Return every command that is not a group."""
    return {name for name, each in all_commands() if not isinstance(each, click.Group)}


def all_hints() -> list[Hint]:
    """Return every hint, and one of each kind of hint that is made on demand."""
    as_they_are = [each for each in vars(leanbe_emitter.hints).values() if isinstance(each, Hint)]
    return [*as_they_are, granting("ana@example.com", "Acme"), advancing(timedelta(seconds=5))]


def operations_of_hint(way: Hint) -> tuple[str, str, str]:
    """Return the method, the command and the operation of a hint, without their arguments.

    The command is the longest one with which the hint's words begin.
    """
    method = way.call.removeprefix("leanbe.").partition("(")[0]
    typed = f"{way.command.removeprefix('leanbe-emitter ')} "
    command = max(
        (each for each in command_names() if typed.startswith(f"{each} ")), key=len, default=""
    )
    operation = " ".join(way.request.replace(" /api/v1/", " /").split()[:2])
    return method, command, operation


def api_operations() -> set[str]:
    """Return every operation of the API: ``GET /products``."""
    return {
        f"{method.upper()} {path.removeprefix('/api/v1')}"
        for path, there in openapi_document(needs_token=False)["paths"].items()
        for method in there
    }
