"""Every measure of ``make bench`` works, and yields its rows; how fast is not asked here."""

import json
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from benchmarks.processes import Child
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
    "stream": [
        f"{database}, a listener to {what}"
        for database in ("SQLite", "PostgreSQL")
        for what in ("rows", "all")
    ],
    "page": [
        f"200 deliveries a second for 1 s, {what}"
        for what in ("long tasks", "main thread", "key to frame")
    ],
    "suites": [
        "a handle in memory, the first",
        "a handle in memory, each further one",
        "a test with the fixture leanbe",
        "a start of pytest",
    ],
    "checks": ["in process, a check", "a run without", "a run with an observation"],
    "memory": ["SQLite, 4,000 due", "PostgreSQL, 4,000 due"],
    "workers": ["PostgreSQL, 1 worker", "PostgreSQL, 2 workers", "PostgreSQL, 4 workers"],
    "idle": ["SQLite, idle worker", "PostgreSQL, idle worker"],
}


@pytest.mark.browser
def test_a_quick_run_measures_everything_and_tells_of_what_and_where(tmp_path: Path) -> None:
    """One run of a minute: a test each would have every worker wait for it."""
    document, printed = _run_quickly(tmp_path / "benchmarks.json")
    rows = [row for rows in document["measures"].values() for row in rows]
    _every_measure_has_its_rows(document["measures"])
    assert all(row["unit"] and row["low"] <= row["value"] <= row["high"] for row in rows)
    _the_machine_is_told_without_a_path(document["machine"])
    _it_ends_with_all_of_its_goals(rows, printed)
    workers = [row for row in document["measures"]["delivery"] if row["what"].startswith("worker")]
    assert all(row["details"]["µs of CPU each"] > 0 for row in workers)


def _run_quickly(rows: Path) -> tuple[dict[str, Any], str]:
    """Run all measures quickly; return what they wrote and printed."""
    command = (sys.executable, "-m", "tests.support.quick_benchmarks")
    ran = subprocess.run(
        [*command, "--quick", "--json", rows],
        cwd=ROOT,
        env=environment({}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(rows.read_text()), ran.stdout


def _every_measure_has_its_rows(measures: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    assert list(measures) == list(ROWS)
    for measure, beginnings in ROWS.items():
        names = [row["what"] for row in measures[measure]]
        missing = [each for each in beginnings if not any(n.startswith(each) for n in names)]
        assert not missing, f"{measure} yielded only {names}"


def _the_machine_is_told_without_a_path(machine: Mapping[str, str]) -> None:
    told = {"cores", "processor", "memory", "Python", "SQLite", "PostgreSQL", "load at the start"}
    assert told <= machine.keys()
    assert all(machine.values())
    assert platform.python_version() in machine["Python"]
    assert "/" not in machine["Python"]
    milliseconds, _, unit = machine["reference loop"].partition(" ")
    assert float(milliseconds) > 0
    assert unit == "ms"


def _it_ends_with_all_of_its_goals(rows: Sequence[Mapping[str, Any]], printed: str) -> None:
    judged = [row["what"].partition(";")[0] for row in rows if row["goals"]]
    goals = printed.partition("\n## goals\n")[2]
    assert judged
    assert all(what in goals for what in judged)


def test_a_checkout_that_was_compared_leaves_no_server_behind() -> None:
    options = {"database": "sqlite", "match": [], "quick": True}
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)  # the server of a root user runs as another one
        with Child.running("side", options, environment={"TMPDIR": name}) as side:
            assert [*folder.glob("*/postgresql")]
            side.end()
        assert side.process.returncode == 0
        assert not [*folder.iterdir()]
