"""Needs of the tests: databases, and tools of the machine that may be missing."""

import gc
import logging
import os
import re
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from leanbe_emitter.storage.engine.database import Database
from leanbe_emitter.storage.schema.migrate import prepare
from tests.support.dealt_tests import longest_first
from tests.support.engine_setup import Bench
from tests.support.example_counts import EXAMPLES_OF_PROVE, EXAMPLES_OF_TEST
from tests.support.postgresql import Cluster
from tests.support.quick_go import use_quick_go
from tests.support.reused_databases import Databases
from tests.support.shared_statements import share_compiled_statements
from tests.support.warm_process import stop_warm_pythons

# Limits of time for each example would measure the machine and its other work, not the code.
for _name, _examples in {"suite": EXAMPLES_OF_TEST, "prove": EXAMPLES_OF_PROVE}.items():
    hypothesis.settings.register_profile(
        _name,
        deadline=None,
        max_examples=_examples,
        suppress_health_check=[hypothesis.HealthCheck.too_slow],
    )
hypothesis.settings.load_profile("suite")  # `make prove` names the other one

#: Where each tool of a mark may stand.
TOOLS = {
    "node": ("node",),
    "nginx": ("nginx", "/usr/sbin/nginx"),
    "curl": ("curl",),
    "browser": ("chromium", "chromium-browser"),
    "php": ("php",),
    "go": ("go",),
    "ruby": ("ruby",),
    "java": ("java",),
    "webhook": ("webhook",),
    "phpunit": ("phpunit",),
}
#: Named here (``node,nginx``), a missing tool fails its tests instead of skipping them.
REQUIRED = frozenset(filter(None, os.environ.get("TESTS_REQUIRE", "").split(",")))


def pytest_configure(config: pytest.Config) -> None:
    """Name the folder of what all workers of this run share, PostgreSQL above all."""
    share_compiled_statements()
    # A shell that starts the suite in the background has it, and all that it starts, ignore Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # One that is to outlive its terminal does, and what it starts begins as it does anywhere else.
    if hasattr(config, "workerinput") or signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda *_: None)
    if not hasattr(config, "workerinput"):
        config.stash[_SHARED] = Path(tempfile.mkdtemp(prefix="leanbe-emitter-tests-"))


def pytest_xdist_auto_num_workers() -> int:
    """Return two workers a processor: many tests wait for processes, leases and late answers."""
    return 2 * (os.cpu_count() or 1)


def _is_proof(config: pytest.Config) -> bool:
    """Say whether only tests of `make prove` are selected."""
    return set(str(config.option.markexpr).split(" or ")) <= {"prove", "hypothesis"}


def pytest_configure_node(node: object) -> None:
    """Tell an xdist worker where that folder is."""
    node.workerinput["shared"] = str(node.config.stash[_SHARED])  # type: ignore[attr-defined]


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the cluster, whichever worker started it, and leave nothing behind."""
    stop_warm_pythons()
    if not hasattr(config, "workerinput"):
        Cluster(config.stash[_SHARED]).stop()
        shutil.rmtree(config.stash[_SHARED], ignore_errors=True)


_SHARED = pytest.StashKey[Path]()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out the files without a test of `make prove`: each worker would import all of them."""
    if not _is_proof(config) or not collection_path.match("test_*.py"):
        return None
    text = collection_path.read_text("utf-8")
    # What is marked as true of any database is proven on PostgreSQL.
    return None if re.search("prove|hypothesis|any_database", text) else True


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(
    items: list[pytest.Item], config: pytest.Config
) -> Iterator[None]:
    """Mark tests before others select them, and put what takes longest first after that."""
    _mark(items)
    yield
    workers = getattr(config, "workerinput", {}).get("workercount", 1)
    items[:] = longest_first(items, workers=workers)


def _mark(items: list[pytest.Item]) -> None:
    """Mark what needs PostgreSQL, by its fixtures and its parameters, and what can wait."""
    for item in items:
        callspec = getattr(item, "callspec", None)
        chosen = [] if callspec is None else callspec.params.values()
        names = [*getattr(item, "fixturenames", ()), *(n for n in chosen if isinstance(n, str))]
        if "cluster" in names or "postgresql" in names:
            item.add_marker("postgresql")
            if item.get_closest_marker("any_database") is not None:
                item.add_marker("prove")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Look for garbage in what tests make only, and rarely: all that is there before them stays."""
    gc.disable()
    yield
    gc.freeze()
    gc.set_threshold(10_000)
    gc.enable()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose tool is missing, and say so; fail it where the tool is required.

    Go is prepared here: fixtures of larger scopes start programs in it.
    """
    for tool, places in TOOLS.items():
        if item.get_closest_marker(tool) is None or any(map(shutil.which, places)):
            continue
        if tool in REQUIRED:
            pytest.fail(f"{places[0]} is required here, and is not installed")
        pytest.skip(f"{places[0]} is not installed")
    if item.get_closest_marker("go") is not None:
        use_quick_go(_shared_folder(item.config))


@pytest.fixture(autouse=True)
def _log_as_it_was() -> Iterator[None]:
    """Put back the log's settings, which the program makes for the rest of its process."""
    loggers = [logging.getLogger(each) for each in ("leanbe_emitter", "uvicorn")]
    before = [(each.handlers, each.level, each.propagate) for each in loggers]
    yield
    for logger, (handlers, level, propagates) in zip(loggers, before, strict=True):
        logger.handlers, logger.level, logger.propagate = handlers, level, propagates


@pytest.fixture
def own_garbage() -> None:
    """Let collections of garbage look at what the test makes, not at what is there already."""
    gc.freeze()


@pytest.fixture(scope="session")
def folder_of_run(request: pytest.FixtureRequest) -> Path:
    """The folder that all workers of this run have in common."""
    return _shared_folder(request.config)


def _shared_folder(config: pytest.Config) -> Path:
    given = getattr(config, "workerinput", {}).get("shared")
    return Path(given) if given else config.stash[_SHARED]


@pytest.fixture(scope="session")
def cluster(folder_of_run: Path) -> Cluster:
    """The run's PostgreSQL, started by whoever needs it first."""
    cluster = Cluster(folder_of_run)
    cluster.start()
    return cluster


@pytest.fixture(scope="session")
def databases(cluster: Cluster) -> Iterator[Databases]:
    """Databases with today's tables, on PostgreSQL."""
    databases = Databases(cluster)
    yield databases
    databases.drop()


@pytest.fixture
def postgresql_url(cluster: Cluster) -> Iterator[str]:
    """An empty PostgreSQL database of the test's own."""
    with cluster.database() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database: SQLite in a file, and PostgreSQL."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgresql_url"))
    return f"sqlite:///{tmp_path / 'test.db'}"


@pytest.fixture(scope="session")
def sqlite_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of SQLite's with today's tables and no rows, to be copied: that is soon done."""
    file = tmp_path_factory.mktemp("sqlite") / "empty.db"
    database = Database(f"sqlite:///{file}")
    prepare(database)
    database.close()
    return file


@pytest.fixture
def sqlite_url(sqlite_file: Path, tmp_path: Path) -> str:
    """The URL of a database with today's tables, in a file of the test's own."""
    shutil.copyfile(sqlite_file, tmp_path / "test.db")
    return f"sqlite:///{tmp_path / 'test.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a database with today's tables: SQLite in a file, and PostgreSQL."""
    if request.param == "sqlite":
        yield str(request.getfixturevalue("sqlite_url"))
        return
    with request.getfixturevalue("databases").empty() as url:
        yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A database with today's tables."""
    database = Database(database_url)
    yield database
    database.close()


@pytest.fixture
def bench(database: Database) -> Bench:
    """The delivery engine taken apart, on a database with today's tables."""
    return Bench(database=database)


@pytest.fixture
def postgresql_bench(databases: Databases) -> Iterator[Bench]:
    """The same on PostgreSQL, for what only several writers at a time can do."""
    with databases.empty() as url:
        database = Database(url)
        yield Bench(database=database)
        database.close()


@pytest.fixture
def postgresql_ready(databases: Databases) -> Iterator[str]:
    """The URL of a PostgreSQL database with today's tables."""
    with databases.empty() as url:
        yield url
