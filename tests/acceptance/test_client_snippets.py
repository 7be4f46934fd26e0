"""The clients that ``snippet client`` prints; ``examples/`` prove those in other languages."""

import runpy
from pathlib import Path

import pytest

from leanbe_emitter.snippets import CLIENT_LANGUAGES, client
from tests.support.command_line import Cli
from tests.support.loopback_receiver import LoopbackReceiver
from tests.support.server_process import run_server


def test_each_client_is_short() -> None:
    assert {each: client(each).count("\n") < 120 for each in CLIENT_LANGUAGES} == dict.fromkeys(
        CLIENT_LANGUAGES, True
    )


def test_the_client_in_python_triggers_waits_moves_the_clock_and_arms_faults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "emitter.py"
    file.write_text(client("python"), "utf-8")
    with (
        LoopbackReceiver.listening() as receiver,
        run_server(tmp_path, "--ephemeral", "--clock", "manual") as served,
    ):
        monkeypatch.setenv("LEANBE_EMITTER_URL", served.ready["url"])
        emitter = runpy.run_path(str(file))
        emitter["create_product"]("Acme & Co", receiver.url, "whsec_test", max_attempts="2")
        emitter["arm_fault"]("receiver_fails", how="status:503")
        call = emitter["trigger"]("Acme & Co", "idea.created", title="Dark mode")
        emitter["wait"](call)
        emitter["advance"](3600)
        emitter["trigger"]("Acme & Co", "idea.deleted")
        first, second = emitter["wait"](call)
        with pytest.raises(RuntimeError, match=r"events: Leanbe has no event 'x'"):
            emitter["trigger"]("Acme & Co", "x")
        emitter["reset"]()
    assert [each["outcome"] for each in first["attempts"]] == ["refused", "delivered"]
    assert (first["event"]["event"], second["event"]["event"]) == ("idea.created", "idea.deleted")
    assert receiver.requests[0].verified("whsec_test").payload["title"] == "Dark mode"


def test_a_client_has_a_language_and_a_receiver_has_none(cli: Cli) -> None:
    assert cli("snippet", "client", "--lang", "php").stdout == client("php")
    for words, said in {
        ("client",): "Name its language: --lang js | php | go | python.",
        ("go", "--lang", "go"): "--lang is for the client. A receiver's name says its language.",
    }.items():
        refused = cli("snippet", *words)
        assert (refused.status, refused.stdout) == (2, "")
        assert said in refused.stderr
