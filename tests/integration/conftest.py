"""The library over each database, and a receiver that is really called."""

from collections.abc import Iterator

import pytest

from leanbe_emitter import Leanbe, Product
from tests.support.fault_receiver import VerifyingReceiver
from tests.support.loopback_receiver import LoopbackReceiver
from tests.support.scene import Scene, set_scene

SECRET = "whsec_test"


@pytest.fixture(params=["memory", pytest.param("sqlite", marks=pytest.mark.prove), "postgresql"])
def db(request: pytest.FixtureRequest) -> str:
    """The URL of a database: in memory, on PostgreSQL, and in a file in `make prove`.

    In a file and in memory is SQLite; the queue, the journal and the API are tested on files.
    """
    if request.param == "memory":
        return ":memory:"
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgresql_ready"))
    return str(request.getfixturevalue("sqlite_url"))


@pytest.fixture
def leanbe(db: str) -> Iterator[Leanbe]:
    """An empty Leanbe."""
    with Leanbe(db) as leanbe:
        yield leanbe


@pytest.fixture
def receiver() -> Iterator[LoopbackReceiver]:
    """A receiver that accepts, until it is told otherwise."""
    with LoopbackReceiver.listening() as receiver:
        yield receiver


@pytest.fixture
def product(leanbe: Leanbe, receiver: LoopbackReceiver) -> Product:
    """A product whose events go to the receiver."""
    return leanbe.products.create("Acme", webhook_url=receiver.url, secret=SECRET)


@pytest.fixture
def inbox() -> VerifyingReceiver:
    """A receiver in this process, which verifies."""
    return VerifyingReceiver()


@pytest.fixture
def acme(leanbe: Leanbe, inbox: VerifyingReceiver) -> Product:
    """A product whose events go there."""
    return leanbe.products.create("Acme", webhook=inbox, secret=SECRET)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.prove)])
def stage(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database for a scene: SQLite in memory, and PostgreSQL in `make prove`.

    What actions do is the same code on both; `make test` lets the model's machine do them on both.
    """
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgresql_ready"))
    return ":memory:"


@pytest.fixture
def scene(stage: str) -> Iterator[Scene]:
    """A small world to act in, on each database."""
    with set_scene(stage) as scene:
        yield scene
