"""Every measure of ``make bench`` works, and yields its rows; how fast is not asked here."""

import fcntl
import json
import platform
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import environment

pytestmark = pytest.mark.prove

ROOT = Path(__file__).parents[2]
#: What must be among the rows of each measure: the beginning of its name.
ROWS = {
    "stringify": ["stringify, ", "json.dumps, "],
    "delivery": [
        "worker, SQLite",
        "worker, PostgreSQL",
        "worker, bare, SQLite",
        "worker, bare, PostgreSQL",
        "our sender",
        "naive worker, SQLite",
        "naive worker, PostgreSQL",
        "worker without a network, ",
        "SQLite alone",
        "PostgreSQL alone",
    ],
    "emission": [
        f"{database}, {count} a transaction"
        for database in ("SQLite", "PostgreSQL")
        for count in (1, 100)
    ],
    "claims": [
        f"{database}, 5,000 finished, {due}"
        for database in ("SQLite", "PostgreSQL")
        for due in ("1 product due", "20 products due", "what 20 products due add")
    ],
    "fairness": [
        f"{database}, 100 products, 4 more never answer" for database in ("SQLite", "PostgreSQL")
    ],
    "latency": [
        f"{database}, {rate}/s, {interval} to receipt, p95"
        for database in ("SQLite", "PostgreSQL")
        for rate in (50, 200)
        for interval in ("commit", "scheduled instant")
    ],
    "embedded": [
        f"{database}, to an ASGI app" for database in ("SQLite in memory", "SQLite", "PostgreSQL")
    ],
    "commands": ["trigger --no-deliver", "a Python that does nothing"],
    "server": [
        "a server that does nothing, 32 clients",
        "SQLite, 32 clients",
        "SQLite, 200 clients",
        "PostgreSQL, 32 clients",
        "SQLite, library, 1 a transaction",
    ],
    "suites": [
        "a handle in memory, the first",
        "a handle in memory, each further one",
        "a test with the fixture leanbe",
        "a start of pytest",
    ],
    "memory": ["SQLite, 4,000 due", "PostgreSQL, 4,000 due"],
    "workers": ["PostgreSQL, 1 worker", "PostgreSQL, 2 workers", "PostgreSQL, 4 workers"],
    "idle": ["SQLite, idle worker", "PostgreSQL, idle worker"],
}


@dataclass(frozen=True, kw_only=True)
class QuickRun:
    """What a quick run of all measures wrote and printed."""

    document: dict[str, Any]
    printed: str


@pytest.fixture(scope="module")
def quick(folder_of_run: Path) -> QuickRun:
    """Run all measures quickly, once for all workers of a test run."""
    rows, printed = folder_of_run / "benchmarks.json", folder_of_run / "benchmarks.txt"
    with (folder_of_run / "benchmarks.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not printed.exists():
            printed.write_text(_run_quickly(rows))
    return QuickRun(document=json.loads(rows.read_text()), printed=printed.read_text())


def _run_quickly(rows: Path) -> str:
    command = (sys.executable, "-m", "benchmarks", "--quick", "--json", str(rows))
    ran = subprocess.run(
        command, cwd=ROOT, env=environment({}), capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.fixture(scope="module")
def document(quick: QuickRun) -> dict[str, Any]:
    """What a quick run of all measures wrote."""
    return quick.document


def test_every_measure_has_its_rows(document: dict[str, Any]) -> None:
    assert list(document["measures"]) == list(ROWS)
    for measure, beginnings in ROWS.items():
        names = [row["what"] for row in document["measures"][measure]]
        missing = [each for each in beginnings if not any(n.startswith(each) for n in names)]
        assert not missing, f"{measure} yielded only {names}"


def test_every_row_is_a_figure_with_its_unit(document: dict[str, Any]) -> None:
    rows = [row for rows in document["measures"].values() for row in rows]
    assert all(row["unit"] and row["low"] <= row["value"] <= row["high"] for row in rows)


def test_a_run_tells_the_machine_that_it_was_made_on(document: dict[str, Any]) -> None:
    told = {"cores", "processor", "memory", "Python", "SQLite", "PostgreSQL", "load at the start"}
    assert told <= document["machine"].keys()
    assert all(document["machine"].values())


def test_a_run_names_its_interpreter_without_a_path(document: dict[str, Any]) -> None:
    assert platform.python_version() in document["machine"]["Python"]
    assert "/" not in document["machine"]["Python"]


def test_a_run_tells_how_long_the_reference_loop_took(document: dict[str, Any]) -> None:
    milliseconds, _, unit = document["machine"]["reference loop"].partition(" ")
    assert float(milliseconds) > 0
    assert unit == "ms"


def test_a_run_ends_with_all_of_its_goals(quick: QuickRun) -> None:
    rows = [row for rows in quick.document["measures"].values() for row in rows]
    judged = [row["what"].partition(";")[0] for row in rows if row["goals"]]
    goals = quick.printed.partition("\n## goals\n")[2]
    assert judged
    assert all(what in goals for what in judged)


def test_a_worker_tells_what_it_uses_of_the_processor(document: dict[str, Any]) -> None:
    rows = [row for row in document["measures"]["delivery"] if row["what"].startswith("worker")]
    assert all(row["details"]["µs of CPU each"] > 0 for row in rows)
