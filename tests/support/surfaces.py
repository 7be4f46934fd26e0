"""The three surfaces as they are, and the table of capabilities that holds them together."""

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
from tests.support.api import promised
from tests.support.command_tree import all_commands

_TABLE = Path(__file__).parents[1] / "data" / "capabilities.txt"


def lists() -> Iterator[tuple[str, str]]:
    """Yield the command and the operation of each list."""
    yield from (
        (command, operation)
        for command, operation in zip(_cells(1), _cells(2), strict=True)
        if command.endswith(" list") and operation.startswith("GET ")
    )


def options(command: str) -> set[str]:
    """Return what a command takes: ``archived``."""
    return {each.name or "" for each in dict(all_commands())[command].params}


def parameters(operation: str) -> set[str]:
    """Return what the path and the query of an operation take."""
    method, path = operation.split(" ")
    asked = promised(needs_token=False)["paths"][f"/api/v1{path}"][method.lower()]
    return {each["name"] for each in asked.get("parameters", ())}


def words(column: int) -> list[str]:
    """Return the words that the table has for one surface; what stands in brackets is none.

    Args:
        column: 0 for the library's, 1 for the command line's, 2 for the API's.
    """
    return [cell for cell in _cells(column) if not cell.startswith("(")]


def _cells(column: int) -> list[str]:
    lines = _TABLE.read_text("utf-8").splitlines()
    return [line.split("|")[column].strip() for line in lines if line and line[0] != "#"]


def library() -> Iterator[str]:
    """Yield every public method of a handle, and of what it has: ``products.create``."""
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
    """Return what an object has that acts: no snapshot does."""
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


def functions() -> set[str]:
    """Return what else there is to be called by name."""
    return {name for name in leanbe_emitter.__all__ if callable(getattr(leanbe_emitter, name))}


def commands() -> set[str]:
    """Return every command that does something."""
    return {name for name, each in all_commands() if not isinstance(each, click.Group)}


def ways() -> list[Hint]:
    """Return every way that hints name, and one of each kind that is made for its hint."""
    as_they_are = [each for each in vars(leanbe_emitter.hints).values() if isinstance(each, Hint)]
    return [*as_they_are, granting("ana@example.com", "Acme"), advancing(timedelta(seconds=5))]


def first_words(way: Hint) -> tuple[str, str, str]:
    """Return the method, the command and the operation of a way, without what they take.

    The command is the longest there is that its words begin with.
    """
    method = way.call.removeprefix("leanbe.").partition("(")[0]
    typed = f"{way.command.removeprefix('leanbe-emitter ')} "
    command = max(
        (each for each in commands() if typed.startswith(f"{each} ")), key=len, default=""
    )
    operation = " ".join(way.request.replace(" /api/v1/", " /").split()[:2])
    return method, command, operation


def operations() -> set[str]:
    """Return every operation of the API: ``GET /products``."""
    return {
        f"{method.upper()} {path.removeprefix('/api/v1')}"
        for path, there in promised(needs_token=False)["paths"].items()
        for method in there
    }
