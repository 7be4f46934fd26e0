"""A server or worker with ``--only-targets`` calls what is listed, however it is asked."""

from pathlib import Path

import pytest

from tests.support.command_line import Cli
from tests.support.loopback_receiver import LoopbackReceiver
from tests.support.server_process import run_server

ONLY = ("--only-targets", "127.0.0.1")


@pytest.mark.parametrize("command", [("serve", "--port", "0"), ("worker", "--drain")])
def test_a_list_of_only_targets_beside_allowed_ones_or_without_an_entry_starts_nothing(
    command: tuple[str, ...], cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = cli(*command, "--only-targets", "")
    assert (empty.status, "names no target" in empty.stderr) == (2, True)
    monkeypatch.setenv("LEANBE_EMITTER_ALLOW_TARGETS", "10.0.0.0/8")
    both = cli(*command, *ONLY)
    assert (both.status, "contradict each other" in both.stderr) == (2, True)
    assert list(tmp_path.iterdir()) == []


def test_a_server_refuses_every_other_address_and_calls_the_listed_one_by_any_name(
    tmp_path: Path,
) -> None:
    with (
        LoopbackReceiver.listening() as receiver,
        run_server(tmp_path, "--ephemeral", *ONLY) as served,
    ):
        for host in ("127.0.0.2", "[::1]", "10.0.0.1", "93.184.216.34"):
            webhook = {"url": f"http://{host}/"}
            refused = served.client.post("/products", json={"name": "A", "webhook": webhook})
            assert (refused.status_code, refused.json()["code"]) == (422, "invalid_target")
            assert "LEANBE_EMITTER_ONLY_TARGETS" in refused.json()["hint"]
        named = receiver.url.replace("127.0.0.1", "localhost")
        served.client.post("/products", json={"name": "A", "webhook": {"url": named}})
        served.client.post("/products/A/events", json={"event": "idea.created"})
        served.client.post("/deliveries/wait").raise_for_status()
        assert len(receiver.requests) == 1


def test_a_worker_holds_to_its_list_whoever_set_the_webhook(cli: Cli) -> None:
    with LoopbackReceiver.listening() as receiver:
        cli("product", "create", "A", "--webhook-url", receiver.url)
        cli("trigger", "idea.created", "--no-deliver")
        drained = cli("worker", "--drain", "--only-targets", "127.0.0.2")
        assert drained.status == 0
        shown = cli("deliveries", "list", "--output", "json").stdout
        assert "only targets" in shown
        assert receiver.requests == []
