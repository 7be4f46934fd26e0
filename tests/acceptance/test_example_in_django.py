"""The example in Django, inside its tests' transactions: in memory and in a file."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.example_suites import Example

#: The desk's settings, with a test database in a file that stays.
IN_A_FILE = """
from desk.settings import *
DATABASES["default"]["TEST"] = {"NAME": "kept.db"}
"""


@pytest.fixture(params=["wsgi", "asgi"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Example:
    """A copy of the example, called by either protocol."""
    example = Example("django", tmp_path)
    for name in ("conftest.py", "test_desk_cases.py"):
        example.write(name, example.read(name).replace("wsgi", request.param))
    example.write("in_a_file.py", IN_A_FILE)
    return example


def test_djangos_own_runner_runs_the_cases(desk: Example) -> None:
    ran = desk.python("manage.py", "test")
    assert ran.returncode == 0, ran.stdout
    assert "Ran 2 tests" in ran.stdout


@pytest.mark.prove
def test_nothing_of_djangos_cases_stays_in_a_file(desk: Example, tmp_path: Path) -> None:
    ran = desk.python("manage.py", "test", "--settings", "in_a_file", "--keepdb")
    assert ran.returncode == 0, ran.stdout
    assert rows(tmp_path) == {"desk_customer": 0, "desk_seenevent": 0, "django_migrations": 1}


@pytest.mark.prove
def test_nothing_of_pytests_tests_stays_in_a_file(desk: Example, tmp_path: Path) -> None:
    ran = desk.run("--ds", "in_a_file", "--reuse-db")
    assert ran.status == 0, ran.printed
    assert rows(tmp_path) == {"desk_customer": 0, "desk_seenevent": 0, "django_migrations": 1}


def rows(folder: Path) -> dict[str, int]:
    """Return how many rows the tables of the kept database have."""
    with closing(sqlite3.connect(folder / "django" / "kept.db")) as kept:
        return {
            table: kept.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - ours
            for table in ("desk_customer", "desk_seenevent", "django_migrations")
        }
