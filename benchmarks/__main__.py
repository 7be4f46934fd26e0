"""Run the measures, print their tables, keep them as JSON: ``python -m benchmarks --help``."""

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from benchmarks import environments, goals
from benchmarks.against import Sides
from benchmarks.machine import description
from benchmarks.rows import Row, table
from benchmarks.run import Run

#: In the order in which they are run.
MEASURES = (
    "stringify",
    "delivery",
    "emission",
    "claims",
    "fairness",
    "latency",
    "embedded",
    "commands",
    "server",
    "stream",
    "page",
    "suites",
    "checks",
    "memory",
    "workers",
    "idle",
)

#: A measure's name in, tables out: a title each, and its rows.
Measured = Callable[[str], Mapping[str, Sequence[Row]]]


@click.command()
@click.option("--only", type=click.Choice(MEASURES), multiple=True, help="This measure alone.")
@click.option(
    "--database",
    type=click.Choice(["sqlite", "postgresql"]),
    help="This database alone, where a measure asks about both.",
)
@click.option(
    "--match",
    metavar="TEXT",
    multiple=True,
    help="Of delivery, only what has this in its name; a ratio needs both of its sides.",
)
@click.option("--rounds", type=click.IntRange(min=1), default=3, show_default=True)
@click.option("--quick", is_flag=True, help="Only see that everything works; no figure counts.")
@click.option("--json", "file", type=click.Path(path_type=Path), help="Write all of it here, too.")
@click.option(
    "--python",
    type=click.Path(path_type=Path),
    help="Run on this interpreter, in an environment that is made when it is missing.",
)
@click.option("--against", metavar="COMMIT", help="Measure this commit, too, by turns.")
def main(  # noqa: PLR0913 - an argument an option
    *,
    only: Sequence[str],
    database: str | None,
    match: Sequence[str],
    rounds: int,
    quick: bool,
    file: Path | None,
    python: Path | None,
    against: str | None,
) -> None:
    """Measure, each figure as a ratio within this run."""
    # Some machines say so to all that run there; then every process would compile the product anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    if python:
        environments.enter(python, sys.argv[1:])
    options = {"database": database, "match": match, "quick": quick}
    machine = description()
    _print_machine(machine)
    tables: dict[str, Sequence[Row]] = {}
    with _measuring(options, rounds=1 if quick else rounds, against=against) as measured:
        for measure in only or MEASURES:
            for title, rows in measured(measure).items():
                print(f"\n## {title}\n\n{table(rows)}", flush=True)
                tables[title] = rows
    _print_goals(tables)
    if file:
        file.write_text(json.dumps(_document(machine, tables), indent=2) + "\n", "utf-8")


@contextmanager
def _measuring(
    options: Mapping[str, Any], *, rounds: int, against: str | None
) -> Iterator[Measured]:
    """Yield what measures: this tree alone, or by turns with another commit."""
    if against is None:
        with Run.opened(**options, rounds=rounds) as run:
            yield lambda name: {name: _module(name).measure(run)}
        return
    with Sides.opened(against, options) as sides:

        def both(name: str) -> Mapping[str, Sequence[Row]]:
            ours, theirs = sides.measured(name, rounds)
            return {name: ours, f"{name}, {sides.other.checkout.name}": theirs}

        yield both


def _module(name: str) -> Any:
    return import_module(f"benchmarks.measures.{name}")


def _print_machine(machine: Mapping[str, str]) -> None:
    print("\n".join(f"{name}: {value}" for name, value in machine.items()), flush=True)


def _print_goals(tables: Mapping[str, Sequence[Row]]) -> None:
    """Print what was asked of this tree, and whether it was met."""
    ours = {title: rows for title, rows in tables.items() if title in MEASURES}
    if judged := goals.table(ours):
        print(f"\n## goals\n\n{judged}", flush=True)


def _document(machine: Mapping[str, str], measures: Mapping[str, Sequence[Row]]) -> object:
    return {
        "machine": dict(machine),
        "measures": {name: [row.document() for row in rows] for name, rows in measures.items()},
    }


if __name__ == "__main__":
    main()
