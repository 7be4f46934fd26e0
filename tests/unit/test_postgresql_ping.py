"""The ping of a PostgreSQL connection before it is used again."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from sqlalchemy import create_engine

from leanbe_emitter.storage.engine.postgresql import PING_AFTER_SECONDS, ping_idle_connections_only


@dataclass(eq=False, kw_only=True)
class _Connection:
    """A connection, its server's end, and a clock."""

    ours: socket.socket
    servers: socket.socket
    closed: bool = False
    now: float = 100.0
    pings: int = 0
    engine: object = field(init=False)

    def __post_init__(self) -> None:
        engine = create_engine("postgresql+psycopg://nobody@127.0.0.1:1/none")
        engine.dialect.do_ping = self._ping  # type: ignore[assignment, method-assign]
        ping_idle_connections_only(engine, now=lambda: self.now)
        self.engine = engine

    def fileno(self) -> int:
        return self.ours.fileno()

    def give_back(self) -> None:
        self.engine.pool.dispatch.checkin(self, None)  # type: ignore[attr-defined]

    def is_pinged(self) -> bool:
        before = self.pings
        assert self.engine.dialect.do_ping(self)  # type: ignore[attr-defined]
        return self.pings > before

    def _ping(self, connection: object) -> bool:
        assert connection is self
        self.pings += 1
        return True


@pytest.fixture
def connection() -> Iterator[_Connection]:
    ours, servers = socket.socketpair()
    with ours, servers:
        yield _Connection(ours=ours, servers=servers)


def test_a_connection_that_was_used_a_moment_ago_is_taken_as_it_is(connection: _Connection) -> None:
    connection.give_back()
    connection.now += PING_AFTER_SECONDS / 2
    assert not connection.is_pinged()


def test_a_connection_that_rested_is_pinged(connection: _Connection) -> None:
    connection.give_back()
    connection.now += PING_AFTER_SECONDS * 2
    assert connection.is_pinged()


def test_a_connection_that_was_never_given_back_is_pinged(connection: _Connection) -> None:
    assert connection.is_pinged()


def test_a_connection_with_unread_bytes_of_the_server_is_pinged(connection: _Connection) -> None:
    connection.give_back()
    connection.servers.send(b"terminating connection")
    assert connection.is_pinged()


def test_a_connection_that_the_server_closed_is_pinged(connection: _Connection) -> None:
    connection.give_back()
    connection.servers.close()
    assert connection.is_pinged()


def test_a_connection_that_is_closed_here_is_pinged(connection: _Connection) -> None:
    connection.give_back()
    connection.closed = True
    assert connection.is_pinged()
