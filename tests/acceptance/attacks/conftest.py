"""The server that most attacks share: it only records, and its database is a file."""

from collections.abc import Iterator

import pytest

from leanbe_emitter import Leanbe
from tests.support.server_process import RunningServer, run_server


@pytest.fixture(scope="package")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server that everybody on this machine may use."""
    folder = tmp_path_factory.mktemp("attacked")
    with run_server(folder, "--db", f"sqlite:///{folder}/attacked.db", "--workers-off") as served:
        yield served


@pytest.fixture
def leanbe(served: RunningServer) -> Iterator[Leanbe]:
    """A handle of the server's database, which has a product and nothing else."""
    with Leanbe(served.ready["db"]) as leanbe:
        leanbe.reset()
        leanbe.products.create("Acme", webhook_url="http://127.0.0.1:9/hooks", secret="whsec_test")
        yield leanbe
