"""The client of a server's API: documents, cursors, refusals, and a server that has gone."""

import signal
from pathlib import Path

import pytest

from leanbe_emitter import InvalidValue
from leanbe_emitter.api_client import ApiClient
from leanbe_emitter.server_process import ServerUnavailable
from tests.support.server_process import run_server


def test_answers_refusals_and_the_end_of_a_server_are_told(tmp_path: Path) -> None:
    environ = {"LEANBE_EMITTER_TOKEN": "tok_test"}
    with (
        run_server(tmp_path, "--ephemeral", environ=environ) as served,
        ApiClient(served.ready["url"], token="tok_test") as api,
    ):
        _a_write_answers_with_its_document_and_leaves_its_cursor(api)
        _a_refusal_is_told_with_its_reason_and_its_hint(api)
        with (
            ApiClient(served.ready["url"], token=None) as stranger,
            pytest.raises(InvalidValue, match="token"),
        ):
            stranger.post("/products", {"name": "Acme"})
        served.end(signal.SIGKILL)
        with pytest.raises(ServerUnavailable, match="does not answer"):
            api.post("/products", {"name": "Globex"})


def _a_write_answers_with_its_document_and_leaves_its_cursor(api: ApiClient) -> None:
    assert api.post("/products", {"name": "Acme"})["name"] == "Acme"
    triggered = api.post("/products/Acme/events", {"event": "idea.created"})
    assert triggered["delivery"] is None, "it has no URL"
    assert api.post("/deliveries/wait", {"after": api.cursor})["items"] == []


def _a_refusal_is_told_with_its_reason_and_its_hint(api: ApiClient) -> None:
    webhook = {"url": "http://169.254.169.254/"}
    with pytest.raises(
        InvalidValue, match=r"A webhook must not call 169\.254\.169\.254"
    ) as refused:
        api.post("/products", {"name": "Globex", "webhook": webhook})
    assert "metadata" in refused.value.hint
