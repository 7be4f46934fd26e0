"""Calls at the same moment, and PostgreSQL transactions that wait for each other."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg

from leanbe_emitter import LeanbeError
from tests.support.waiting import wait_until


def call_at_once(*calls: Callable[[], object]) -> list[object]:
    """Make each call in its own thread, all at the same moment.

    Returns:
        The result of each call, or the error of this package that it raised.
    """
    start = threading.Barrier(len(calls))

    def run(call: Callable[[], object]) -> object:
        start.wait()
        try:
            return call()
        except LeanbeError as error:
            return error

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(run, calls))


def until_somebody_waits(url: str) -> None:
    """Wait until a transaction of the PostgreSQL database waits for a lock."""
    statement = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    with psycopg.connect(url, autocommit=True) as connection:
        wait_until(
            lambda: connection.execute(statement).fetchone() != (0,), "somebody waits for a lock"
        )
