"""Several processes on one database: workers and emitters that a test kills, and their rows."""

import itertools
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from sqlalchemy import select, text

from leanbe_emitter.storage.engine.database import Database
from leanbe_emitter.storage.schema.states import DeliveryState, Outcome
from leanbe_emitter.storage.schema.tables import AttemptRow, DeliveryRow, EventRow
from tests.support.command_line import PROGRAM, environment
from tests.support.waiting import wait_until
from tests.support.warm_process import process_class

#: Short, as tests wait for it; a machine that stalls for as long loses leases.
LEASE_SECONDS = 3


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """The processes of a test, and their database.

    Attributes:
        poll: the workers' pause between two polls; empty: the default.
        lease_seconds: the workers' lease time.
        running: the processes that were started and have not ended, by name.
    """

    database: Database
    home: Path
    poll: str = ""
    lease_seconds: int = LEASE_SECONDS
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    @classmethod
    @contextmanager
    def on(
        cls, database: Database, home: Path, *, poll: str = "", lease_seconds: int = LEASE_SECONDS
    ) -> Iterator[Self]:
        """Start processes in the block; kill the remaining ones at its end."""
        fleet = cls(database=database, home=home, poll=poll, lease_seconds=lease_seconds)
        try:
            yield fleet
        finally:
            for name in list(fleet.running):
                fleet.kill(name)

    def start_worker(self, *arguments: str) -> str:
        """Start a worker; return its name."""
        name = f"process-{next(self._numbers)}"
        self._start(name, *PROGRAM, "worker", "--db", self._url(name), *arguments)
        return name

    def start_server(self, port: int) -> str:
        """Start a server at a port; return its name."""
        name = f"process-{next(self._numbers)}"
        self._start(name, *PROGRAM, "serve", "--db", self._url(name), "--port", str(port))
        return name

    def start_emitter(self, first: int, last: int) -> str:
        """Start a process that makes the changes of these numbers; return its name."""
        return self.start_module("tests.support.emitting_process", str(first), str(last))

    def start_module(self, module: str, *arguments: str) -> str:
        """Start a module of the tests as a process with the database's URL; return its name."""
        name = f"process-{next(self._numbers)}"
        program = (sys.executable, "-W", "error", "-m", module)
        self._start(name, *program, self._url(name), *arguments)
        return name

    def kill(self, name: str) -> None:
        """Kill a process by SIGKILL; return when the database has ended its transactions."""
        process = self.running.pop(name)
        process.kill()
        process.wait()
        if self.database.dialect == "postgresql":
            wait_until(
                lambda: self._backends(name) == 0,
                "PostgreSQL has ended the connections of the killed process",
            )

    def end(self, name: str, *, by: signal.Signals | None = signal.SIGTERM) -> int:
        """Wait for a process that gets a signal or ends by itself; return its status."""
        process = self.running.pop(name)
        if by is not None:
            process.send_signal(by)
        try:
            return process.wait(timeout=60)
        finally:
            process.kill()

    def complaints(self) -> list[str]:
        """Return the errors in the logs of all processes."""
        lines = [
            line for file in self.home.glob("*.stderr") for line in file.read_text().splitlines()
        ]
        return [line for line in lines if line.startswith(("error:", "Traceback"))]

    def stderr_of(self, name: str) -> str:
        """Return the stderr of a process."""
        return self._stderr(name).read_text()

    def waits_for_database(self, name: str) -> bool:
        """Say whether a worker has tried its database again after a pause."""
        return self.stderr_of(name).count("The database is unavailable; trying again.") > 1

    def in_flight(self) -> set[str]:
        """Return the deliveries that a process holds, or held when it was killed."""
        return set(
            self._column(select(DeliveryRow.id).where(DeliveryRow.state == DeliveryState.IN_FLIGHT))
        )

    def deliveries(self, where: str) -> set[str]:
        """Return the deliveries that fulfil a condition."""
        return set(self._column(select(DeliveryRow.id).where(text(where))))

    def lost(self) -> set[str]:
        """Return the deliveries with an attempt of unknown outcome."""
        return set(
            self._column(
                select(AttemptRow.delivery_id).where(AttemptRow.outcome == Outcome.UNKNOWN)
            )
        )

    def deliveries_by_body(self) -> dict[bytes, str]:
        """Return the delivery of each body."""
        with self.database.reading() as session:
            rows = session.execute(select(EventRow.body, DeliveryRow.id).join(DeliveryRow)).all()
        assert len({row.body for row in rows}) == len(rows)
        return {row.body.encode(): row.id for row in rows}

    def count(self, table: str, where: str = "1 = 1") -> int:
        """Return the number of a table's rows that fulfil a condition."""
        statement = text(f"SELECT count(*) FROM {table} WHERE {where}")  # noqa: S608 - tests name it
        with self.database.reading() as session:
            return int(session.execute(statement).scalar_one())

    def recorded(self) -> int:
        """Return the number of recorded events."""
        with self.database.reading() as session:
            return int(session.execute(text("SELECT sum(sequence) FROM products")).scalar_one())

    def is_settled(self) -> bool:
        """Say whether every delivery has reached an end state."""
        # One statement: between two, a delivery could change its state unseen.
        states = ("new", "ready", "suspect", "waiting", "in_flight")
        exists = "EXISTS (SELECT 1 FROM deliveries WHERE state = '{}')"
        is_any_pending = text("SELECT " + " OR ".join(map(exists.format, states)))
        with self.database.reading() as session:
            return not session.execute(is_any_pending).scalar_one()

    def _start(self, name: str, *command: str) -> None:
        settings = {
            "LEANBE_EMITTER_LEASE_SECONDS": f"{self.lease_seconds}s",
            "LEANBE_EMITTER_POLL_SECONDS": self.poll,
        }
        variables = environment(settings)
        with self._stderr(name).open("wb") as stderr:
            self.running[name] = process_class(command, variables)(
                command,
                env=variables,
                cwd=Path(__file__).parents[2],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
            )

    def _stderr(self, name: str) -> Path:
        return self.home / f"{name}.stderr"

    def _url(self, name: str) -> str:
        """Return the database's URL; it tells PostgreSQL the process's name."""
        url = self.database.url
        if self.database.dialect == "postgresql":
            url = url.update_query_dict({"application_name": name})
        return url.render_as_string(hide_password=False)

    def _backends(self, name: str) -> int:
        ours = f"datname = current_database() AND application_name = '{name}'"
        return self.count("pg_stat_activity", ours)

    def _column(self, statement: Any) -> list[str]:
        with self.database.reading() as session:
            return list(session.scalars(statement))
