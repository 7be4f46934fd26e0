"""Run the measures, print their tables, keep them as JSON: ``python -m benchmarks --help``."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path

import click

from benchmarks import environments, goals
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
    "suites",
    "memory",
    "workers",
    "idle",
)


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
def main(  # noqa: PLR0913 - an argument an option
    *,
    only: Sequence[str],
    database: str | None,
    match: Sequence[str],
    rounds: int,
    quick: bool,
    file: Path | None,
    python: Path | None,
) -> None:
    """Measure, each figure as a ratio within this run."""
    # Some machines say so to all that run there; then every process would compile the product anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    if python:
        environments.enter(python, sys.argv[1:])
    machine = description()
    _print_machine(machine)
    with Run.opened(database=database, match=match, rounds=rounds, quick=quick) as run:
        tables = {name: _measured(name, run) for name in only or MEASURES}
    _print_goals(tables)
    if file:
        file.write_text(json.dumps(_document(machine, tables), indent=2) + "\n", "utf-8")


def _measured(name: str, run: Run) -> Sequence[Row]:
    module = import_module(f"benchmarks.measures.{name}")
    rows: Sequence[Row] = module.measure(run)
    print(f"\n## {name}\n\n{table(rows)}", flush=True)
    return rows


def _print_machine(machine: Mapping[str, str]) -> None:
    print("\n".join(f"{name}: {value}" for name, value in machine.items()), flush=True)


def _print_goals(tables: Mapping[str, Sequence[Row]]) -> None:
    """Print what was asked, and whether it was met."""
    if judged := goals.table(tables):
        print(f"\n## goals\n\n{judged}", flush=True)


def _document(machine: Mapping[str, str], measures: Mapping[str, Sequence[Row]]) -> object:
    return {
        "machine": dict(machine),
        "measures": {name: [row.document() for row in rows] for name, rows in measures.items()},
    }


if __name__ == "__main__":
    main()
