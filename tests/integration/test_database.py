"""Opening databases, good and bad, and what is said of them."""

import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError

from leanbe_emitter import Leanbe
from leanbe_emitter.errors import (
    Conflict,
    DatabaseBehind,
    DatabaseUnavailable,
    InvalidValue,
    LeanbeError,
)
from leanbe_emitter.hints import Hint
from leanbe_emitter.library.documents.documents_handle import Documents
from leanbe_emitter.library.runtime.opening import OpenDatabase
from leanbe_emitter.library.trigger.recorder import Recorder
from leanbe_emitter.settings import Settings, Synchronous
from leanbe_emitter.storage.engine.database import Database
from leanbe_emitter.storage.engine.database_urls import parse_database_url
from leanbe_emitter.storage.engine.driver_errors import driver_errors_as_ours
from leanbe_emitter.storage.schema.migrate import (
    SchemaState,
    downgrade,
    prepare,
    schema_of,
    upgrade,
)
from tests.support.concurrency import call_at_once

Opener = Callable[[str], Database]


@pytest.fixture
def opened(request: pytest.FixtureRequest) -> Opener:
    """Open databases by URL, and close them after the test."""

    def open_(url: str) -> Database:
        database = Database(url)
        request.addfinalizer(database.close)
        return database

    return open_


def test_a_driver_that_is_missing_is_named_as_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(DatabaseUnavailable, match=r"pip install 'psycopg\[binary\]'"):
        Database("postgresql://leanbe@127.0.0.1/leanbe")


def test_an_empty_sqlite_file_gets_its_tables_at_first_use(opened: Opener, tmp_path: Path) -> None:
    database = opened(f"sqlite:///{tmp_path / 'new.db'}")
    assert prepare(database) is True
    assert prepare(database) is False
    assert schema_of(database).state is SchemaState.CURRENT


def test_an_empty_postgresql_is_not_touched_and_told_what_to_type(
    opened: Opener, postgresql_url: str
) -> None:
    database = opened(postgresql_url)
    with pytest.raises(DatabaseBehind, match="no tables of leanbe-emitter yet") as raised:
        prepare(database)
    assert "leanbe-emitter db upgrade" in raised.value.hint
    assert schema_of(database).state is SchemaState.EMPTY


@pytest.mark.parametrize(
    "text_", ["mysql://root@127.0.0.1/x", "nonsense", "", "http://127.0.0.1", "sqlite+aiosqlite://"]
)
def test_a_url_of_another_database_is_refused(text_: str) -> None:
    with pytest.raises(InvalidValue, match="no database URL"):
        Database(text_)


@pytest.mark.parametrize("url", ["ana:hush@127.0.0.1:1/x", "ana@127.0.0.1:1/x?password=hush"])
def test_a_password_is_never_shown(url: str) -> None:
    database = Database(f"postgresql://{url}")
    assert "hush" not in repr(database)
    assert "ana" in repr(database)
    with pytest.raises(DatabaseUnavailable) as raised:
        prepare(database)
    assert "hush" not in str(raised.value)
    with pytest.raises(InvalidValue) as refused:
        Database(f"mysql://{url}")
    assert "hush" not in str(refused.value)


def test_how_long_sqlite_waits_for_another_writer_may_be_said(tmp_path: Path) -> None:
    file = tmp_path / "test.db"
    for said, waits_ms in (("", 10_000), ("?timeout=0", 0), ("?timeout=2.5", 2500)):
        database = Database(f"sqlite:///{file}{said}")
        with database.reading() as session:
            assert session.scalar(text("PRAGMA busy_timeout")) == waits_ms
        database.close()
    with pytest.raises(InvalidValue, match="'soon' is no timeout"):
        Database(f"sqlite:///{file}?timeout=soon")


@pytest.mark.parametrize(
    "url", [":memory:", "sqlite://", "sqlite:///:memory:", "sqlite+pysqlite:///:memory:?timeout=2"]
)
def test_every_url_of_a_memory_database_is_one_database_for_all_threads(url: str) -> None:
    with Leanbe(url) as leanbe, ThreadPoolExecutor(1) as elsewhere:
        leanbe.products.create("Acme")
        assert [each.name for each in elsewhere.submit(leanbe.products.list).result()] == ["Acme"]


def test_postgresql_means_psycopg() -> None:
    assert parse_database_url("postgresql://a@b/c").drivername == "postgresql+psycopg"


def require_naming(error: LeanbeError, hint: str) -> None:
    """See that a hint says to whoever reads it how a database is named there."""
    assert error.hints == Hint(
        call=hint.format("Leanbe(db)"),
        command=hint.format("--db"),
        request=hint.format("--db at the server's start"),
    )


def test_a_file_that_is_no_database_is_called_so(opened: Opener, tmp_path: Path) -> None:
    path = tmp_path / "letter.db"
    path.write_text("Dear Ana, " * 100)
    with pytest.raises(DatabaseUnavailable, match="not a database") as raised:
        prepare(opened(f"sqlite:///{path}"))
    require_naming(raised.value, "{} has to name a file of leanbe-emitter's own, or a new one.")
    assert path.read_text().startswith("Dear Ana")


def test_a_missing_folder_is_called_so(opened: Opener, tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnavailable, match="unable to open") as raised:
        prepare(opened(f"sqlite:///{tmp_path / 'nowhere' / 'x.db'}"))
    told = "Is the file's folder there, and may this user write to it? {} names another."
    require_naming(raised.value, told)


def test_an_unknown_error_of_a_driver_says_what_to_check() -> None:
    url = parse_database_url("sqlite:///x.db")
    with pytest.raises(DatabaseUnavailable) as raised, driver_errors_as_ours(url):
        raise OperationalError("SELECT 1", {}, Exception("out of tune"))
    hints = raised.value.hints
    assert hints.call == "Check Leanbe(db) and the database itself."
    assert hints.command == "Check --db (or LEANBE_EMITTER_DB) and the database itself."
    assert "Check --db at the server's start (or LEANBE_EMITTER_DB) and" in hints.request


def test_another_programs_tables_are_left_alone(opened: Opener, tmp_path: Path) -> None:
    path = tmp_path / "theirs.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE letters (id)")
    connection.close()
    with pytest.raises(DatabaseBehind, match="another program") as raised:
        prepare(opened(f"sqlite:///{path}"))
    told = "{} has to name an empty one, or one of leanbe-emitter's own."
    require_naming(raised.value, told)


def test_a_newer_database_is_called_newer(opened: Opener, database_url: str) -> None:
    database = opened(database_url)
    with database.transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '29990101_future'"))
    with pytest.raises(DatabaseBehind, match="newer than this program") as raised:
        prepare(database)
    require_naming(raised.value, "Use a newer leanbe-emitter; or {} names another database.")
    with pytest.raises(DatabaseBehind, match="newer than this program"):
        upgrade(database)


@pytest.mark.parametrize(
    ("said", "waits_ms"), [("", 20_000), ("?tcp_user_timeout=7000&connect_timeout=3", 7000)]
)
def test_a_server_that_the_network_swallowed_is_given_up_in_time(
    postgresql_url: str, said: str, waits_ms: int
) -> None:
    database = Database(postgresql_url + said)
    with database.engine.connect() as connection:
        descriptor = connection.connection.dbapi_connection.fileno()  # type: ignore[union-attr]
        with socket.socket(fileno=os.dup(descriptor)) as ours:
            assert ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == waits_ms
            assert ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 10
            assert ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL) == 5
            assert ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT) == 2
    database.close()


@pytest.mark.parametrize(("said", "prepared"), [("0", 1), ("none", 0)])
def test_how_often_a_statement_runs_before_it_is_prepared_may_be_said(
    opened: Opener, postgresql_url: str, said: str, prepared: int
) -> None:
    database = opened(f"{postgresql_url}?prepare_threshold={said}")
    with database.reading() as session:
        session.execute(text("SELECT 1"))
        found = session.scalar(
            text("SELECT count(*) FROM pg_prepared_statements WHERE statement = 'SELECT 1'")
        )
    assert found == prepared


def test_another_threshold_than_a_number_or_none_is_refused(postgresql_url: str) -> None:
    with pytest.raises(InvalidValue, match="'soon' is no prepare_threshold"):
        Database(f"{postgresql_url}?prepare_threshold=soon")


def test_a_pooler_that_drops_what_was_prepared_is_called_so(
    opened: Opener, postgresql_url: str
) -> None:
    database = opened(f"{postgresql_url}?prepare_threshold=0")
    with pytest.raises(DatabaseUnavailable) as caught:
        _run_what_was_dropped(database)
    assert caught.value.hint is not None
    assert "prepare_threshold=none" in caught.value.hint


def _run_what_was_dropped(database: Database) -> None:
    with database.reading() as session:
        session.execute(text("SELECT 1"))
        session.execute(text("DO $$ BEGIN EXECUTE 'DEALLOCATE ALL'; END $$"))
        session.execute(text("SELECT 1"))


def test_a_server_that_is_not_there_is_called_so(opened: Opener) -> None:
    with pytest.raises(DatabaseUnavailable, match="refused"):
        prepare(opened("postgresql://nobody@127.0.0.1:1/none"))


def test_a_connection_that_the_server_ended_is_called_so(
    opened: Opener, postgresql_url: str
) -> None:
    database = opened(postgresql_url)
    with pytest.raises(DatabaseUnavailable) as caught, database.reading() as session:
        session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    assert "try again" in (caught.value.hint or "")


READ_ONLY = """
import os, sys
from leanbe_emitter.errors import LeanbeError
from leanbe_emitter.storage.engine.database import Database
from leanbe_emitter.storage.schema.migrate import prepare
from sqlalchemy import event, text
database = Database("sqlite:///" + sys.argv[1])
os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    prepare(database)
    with database.transaction() as session:
        session.execute(text("DELETE FROM products"))
except LeanbeError as error:
    print(error.code, error)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become an unprivileged user")
def test_a_read_only_file_is_called_so_for_an_unprivileged_user(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("readonly")
    for parent in (folder, *folder.parents[:2]):
        parent.chmod(0o755)
    path = folder / "mine.db"
    database = Database(f"sqlite:///{path}")
    prepare(database)
    database.close()
    finished = subprocess.run(
        [sys.executable, "-c", READ_ONLY, str(path)],
        check=False,
        capture_output=True,
        text=True,
        cwd=Path.cwd(),
    )
    assert finished.stdout.startswith("database_unavailable"), finished.stderr
    assert "readonly" in finished.stdout or "unable to open" in finished.stdout


def test_a_file_that_was_deleted_while_it_was_open_is_not_made_anew(tmp_path: Path) -> None:
    file = tmp_path / "leanbe.db"
    with Leanbe(f"sqlite:///{file}") as leanbe:
        leanbe.products.create("Acme")
        file.unlink()
        for _ in range(3):
            with pytest.raises(DatabaseUnavailable, match="was there and is gone"):
                leanbe.products.create("Lost")
    assert not file.exists()


def test_a_file_that_somebody_made_anew_is_the_one_that_is_written_to(tmp_path: Path) -> None:
    file = tmp_path / "leanbe.db"
    with Leanbe(f"sqlite:///{file}") as leanbe:
        leanbe.products.create("Acme")
        file.unlink()
        with Leanbe(f"sqlite:///{file}") as other:
            other.products.create("Globex")
        leanbe.products.create("Initech")
        assert {each.name for each in leanbe.products.list()} == {"Globex", "Initech"}


def test_two_writers_on_one_sqlite_file_wait_for_each_other(opened: Opener, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'shared.db'}"
    prepare(opened(url))
    with opened(url).transaction() as session:
        session.execute(text("CREATE TABLE tally (n)"))
        session.execute(text("INSERT INTO tally VALUES (0)"))

    def count_up() -> None:
        database = Database(url)
        for _ in range(25):
            with database.transaction() as session:
                n = session.execute(text("SELECT n FROM tally")).scalar_one()
                session.execute(text("UPDATE tally SET n = :n"), {"n": n + 1})
        database.close()

    call_at_once(*[count_up] * 4)
    with opened(url).reading() as session:
        assert session.execute(text("SELECT n FROM tally")).scalar_one() == 100


def test_threads_share_a_database_in_memory() -> None:
    database = Database(":memory:")
    prepare(database)
    with database.transaction() as session:
        session.execute(text("CREATE TABLE tally (n)"))
        session.execute(text("INSERT INTO tally VALUES (0)"))

    def count_up() -> None:
        for _ in range(25):
            with database.transaction() as session:
                session.execute(text("UPDATE tally SET n = n + 1"))

    call_at_once(*[count_up] * 8)
    with database.reading() as session:
        assert session.execute(text("SELECT n FROM tally")).scalar_one() == 200
    database.close()


def test_a_transaction_in_memory_does_not_become_part_of_another(opened: Opener) -> None:
    database = opened(":memory:")
    prepare(database)
    with database.reading() as session:
        session.execute(text("SELECT 1"))
        with pytest.raises(Conflict, match="one transaction at a time"), database.transaction():
            pytest.fail("it began")


def test_an_interrupt_loses_nothing_of_what_is_in_memory(opened: Opener) -> None:
    database = opened(":memory:")
    prepare(database)
    with database.transaction() as session:
        session.execute(text("CREATE TABLE tally (n)"))
        session.execute(text("INSERT INTO tally VALUES (1)"))

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    event.listen(database.engine, "do_execute", interrupt)
    with pytest.raises(KeyboardInterrupt), database.transaction() as session:
        session.execute(text("UPDATE tally SET n = 2"))
    event.remove(database.engine, "do_execute", interrupt)
    with database.transaction() as session:
        assert session.execute(text("SELECT n FROM tally")).scalar_one() == 1


def test_several_may_create_the_same_file_at_once(opened: Opener, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'race.db'}"

    def open_it() -> None:
        with closing(Database(url)) as database:
            prepare(database)

    assert call_at_once(*[open_it] * 6) == [None] * 6
    assert schema_of(opened(url)).state is SchemaState.CURRENT


def test_a_database_that_is_behind_is_upgraded_or_told(opened: Opener, database_url: str) -> None:
    database = opened(database_url)
    downgrade(database, "base")
    with database.transaction() as session:
        session.execute(text("SELECT 1"))
    assert schema_of(database).state is SchemaState.EMPTY
    upgrade(database)
    assert schema_of(database).state is SchemaState.CURRENT


def test_several_statements_of_a_reading_see_one_moment(database: Database) -> None:
    count = text("SELECT count(*) FROM users")
    with database.reading() as session:
        assert session.scalar(count) == 0
        with database.transaction() as other:
            other.execute(
                text(
                    "INSERT INTO users (id, email, first_name, created_at, updated_at)"
                    " VALUES ('649d2ac49c3a1954e6a2e421', 'ana@example.com', 'Ana', 0, 0)"
                )
            )
        assert session.scalar(count) == 0
    with database.reading() as session:
        assert session.scalar(count) == 1


@pytest.mark.parametrize("kind", [Recorder, Documents])
def test_a_file_waits_for_the_disk_also_where_nothing_is_sent(
    tmp_path: Path, kind: type[OpenDatabase]
) -> None:
    db = f"sqlite:///{tmp_path / 'a.db'}"
    settings = Settings(db=db, sqlite_synchronous=Synchronous.FULL)
    with kind(settings) as opened, opened._database.reading() as session:
        assert session.scalar(text("PRAGMA synchronous")) == 2


@pytest.mark.parametrize(("setting", "pragma"), [(Synchronous.NORMAL, 1), (Synchronous.FULL, 2)])
def test_a_file_waits_for_the_disk_as_the_settings_say(
    tmp_path: Path, setting: Synchronous, pragma: int
) -> None:
    settings = Settings(sqlite_synchronous=setting)
    with Leanbe(f"sqlite:///{tmp_path / 'a.db'}", settings=settings) as leanbe:
        for database in (leanbe._database, leanbe._database.new_handle()):
            with closing(database), database.reading() as session:
                assert session.scalar(text("PRAGMA synchronous")) == pragma
