"""A PostgreSQL that lets nobody in: each usual reason has its own hint."""

import pytest
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError, ProgrammingError

from leanbe_emitter import DatabaseUnavailable
from leanbe_emitter.storage.engine.database import Database
from leanbe_emitter.storage.engine.driver_errors import driver_errors_as_ours
from tests.support.ports import free_port
from tests.support.refusing_postgresql import ASKS_FOR_PASSWORD, refusal, refusing_postgresql


def hint_at(url: str) -> str:
    database = Database(url)
    try:
        with pytest.raises(DatabaseUnavailable) as raised, database.transaction() as session:
            session.connection()
    finally:
        database.close()
    return raised.value.hints.command


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (
            'role "ana m" does not exist',
            "Create the role: createuser -h 127.0.0.1 -p PORT 'ana m'; or name another one in --db",
        ),
        ('role "ana" is not permitted to log in', 'As a superuser: ALTER ROLE "ana" LOGIN;'),
        (
            'database "shop" does not exist',
            "Create it first: createdb -h 127.0.0.1 -p PORT -U ana shop.",
        ),
        ('password authentication failed for user "ana"', "Check role and password in --db"),
        ('Peer authentication failed for user "ana"', "Through a socket, PostgreSQL lets in"),
        (
            'no pg_hba.conf entry for host "10.0.0.7", user "ana", database "shop", no encryption',
            "This server may ask for TLS: add ?sslmode=require.",
        ),
        (
            'pg_hba.conf rejects connection for host "10.0.0.7", user "ana", SSL encryption',
            "The server lets this role in from elsewhere only",
        ),
        ("sorry, too many clients already", "PostgreSQL has no connection left"),
        ('too many connections for role "ana"', "PostgreSQL has no connection left"),
        (
            "remaining connection slots are reserved for roles with the SUPERUSER attribute",
            "PostgreSQL has no connection left",
        ),
        ("the database system is starting up", "PostgreSQL is starting: try again in a moment."),
        ("the database system is not yet accepting connections", "PostgreSQL is starting"),
        ("the database system is in recovery mode", "PostgreSQL is recovering from a crash"),
        ("the database system is shutting down", "PostgreSQL is stopping"),
        ('permission denied for database "shop"', 'GRANT CONNECT ON DATABASE "shop" TO "ana";'),
    ],
)
def test_a_refusal_has_its_own_hint(words: str, hint: str) -> None:
    with refusing_postgresql(refusal(words)) as port:
        told = hint_at(f"postgresql://ana:secret@127.0.0.1:{port}/shop")
    assert hint.replace("PORT", str(port)) in told
    assert "secret" not in told


def test_a_role_that_the_url_does_not_name_is_called_the_users_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PGUSER", "ana")
    with refusing_postgresql(refusal('role "ana" does not exist')) as port:
        assert "The URL names no role" in hint_at(f"postgresql://127.0.0.1:{port}/shop")


def test_a_missing_password_is_asked_for() -> None:
    with refusing_postgresql(ASKS_FOR_PASSWORD) as port:
        told = hint_at(f"postgresql://ana@127.0.0.1:{port}/shop?passfile=/dev/null")
    assert told.startswith("The role needs its password: in --db")


@pytest.mark.parametrize(
    ("mode", "has_tls", "hint"),
    [
        ("require", False, "This server has no TLS: use ?sslmode=prefer"),
        ("require", True, "TLS failed: check sslmode"),
        ("verify-full&sslrootcert=/nowhere/root.crt", True, "?sslrootcert=FILE names the"),
    ],
)
def test_tls_that_fails_has_its_own_hint(mode: str, hint: str, *, has_tls: bool) -> None:
    with refusing_postgresql(refusal("never said"), has_tls=has_tls) as port:
        told = hint_at(f"postgresql://ana@127.0.0.1:{port}/shop?sslmode={mode}")
    assert told.startswith(hint)


@pytest.mark.parametrize(
    ("place", "hint"),
    [
        # Of an interface which is not there: the machine's resolver is not asked.
        ("/shop?host=fe80::1%25nowhere", "No machine has this name: check the host in --db"),
        (f"127.0.0.1:{free_port()}/shop", "Is PostgreSQL running there? --db names the database."),
        ("/shop?host=/nowhere", "Is PostgreSQL running on this machine? A host in --db"),
    ],
    ids=["name", "port", "socket"],
)
def test_a_place_where_nobody_listens_is_named(place: str, hint: str) -> None:
    assert hint_at(f"postgresql://ana@{place}").startswith(hint)


@pytest.mark.parametrize(
    ("error", "words", "hint"),
    [
        (
            OperationalError,
            'server certificate for "db.example" does not match host name "127.0.0.1"',
            "The server's certificate is for another name",
        ),
        (OperationalError, "SSL error: certificate verify failed", "?sslrootcert=FILE names"),
        (
            OperationalError,
            "failed to resolve host 'db.example': [Errno -2] Name or service not known",
            "No machine has this name: check the host in --db",
        ),
        (OperationalError, "connection timeout expired", "Nothing answers there."),
        (OperationalError, "session is read-only", "Is this a standby, or a database set to"),
        (
            ProgrammingError,
            "permission denied for schema public",
            'Let the role own the database, which creates its tables: ALTER DATABASE "shop" OWNER',
        ),
    ],
)
def test_each_later_error_of_a_server_has_its_own_hint(
    error: type[OperationalError | ProgrammingError], words: str, hint: str
) -> None:
    url = make_url("postgresql+psycopg://ana@127.0.0.1/shop")
    with pytest.raises(DatabaseUnavailable) as raised, driver_errors_as_ours(url):
        raise error("SELECT 1", {}, Exception(words))
    assert raised.value.hints.command.startswith(hint)
