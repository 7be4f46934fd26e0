"""The client of a server's API: documents, cursors, refusals, and a server that has gone."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from leanbe_emitter import InvalidValue
from leanbe_emitter.api_client import ApiClient
from leanbe_emitter.server_process import ServerUnavailable
from tests.support.server_process import RunningServer, run_server


@pytest.fixture
def served(tmp_path: Path) -> Iterator[RunningServer]:
    environ = {"LEANBE_EMITTER_TOKEN": "tok_test"}
    with run_server(tmp_path, "--ephemeral", environ=environ) as served:
        yield served


def test_a_write_answers_with_its_document_and_leaves_its_cursor(served: RunningServer) -> None:
    with ApiClient(served.ready["url"], token="tok_test") as api:
        assert api.post("/products", {"name": "Acme"})["name"] == "Acme"
        triggered = api.post("/products/Acme/events", {"event": "idea.created"})
        assert triggered["delivery"] is None, "it has no URL"
        assert api.post("/deliveries/wait", {"after": api.cursor})["items"] == []


def test_a_refusal_of_the_server_has_its_reason_and_its_hint(served: RunningServer) -> None:
    with ApiClient(served.ready["url"], token="tok_test") as api:
        webhook = {"url": "http://169.254.169.254/"}
        with pytest.raises(
            InvalidValue, match=r"A webhook must not call 169\.254\.169\.254"
        ) as refused:
            api.post("/products", {"name": "Acme", "webhook": webhook})
        assert "metadata" in refused.value.hint
    with (
        ApiClient(served.ready["url"], token=None) as stranger,
        pytest.raises(InvalidValue, match="token"),
    ):
        stranger.post("/products", {"name": "Acme"})


def test_a_server_that_has_gone_is_told_of(served: RunningServer) -> None:
    with ApiClient(served.ready["url"], token="tok_test") as api:
        api.post("/products", {"name": "Acme"})
        served.end(signal.SIGKILL)
        with pytest.raises(ServerUnavailable, match="does not answer"):
            api.post("/products", {"name": "Globex"})
