"""A server that is controlled: what is set over HTTP or by a command holds for both."""

import json
import signal
from datetime import UTC, datetime
from pathlib import Path

import pytest

from leanbe_emitter import Leanbe
from tests.support.command_line import Cli
from tests.support.receiver_process import SECRET, run_receiver
from tests.support.server_process import run_server
from tests.support.waiting import wait_until

START = datetime(2026, 1, 1, tzinfo=UTC)
NOW = "2026-01-01T00:00:00.000Z"


def test_retries_wait_for_the_clock_and_nobody_for_time(cli: Cli, tmp_path: Path) -> None:
    still = ("--ephemeral", "--clock", "manual")
    with run_receiver(tmp_path) as receiver, run_server(tmp_path, *still) as served:
        hook = {"url": receiver.url, "secret": SECRET}
        served.client.post("/products", json={"name": "Acme", "webhook": hook})
        added = cli("faults", "add", "receiver_fails", "--times", "2", "--db", served.ready["db"])
        assert added.status == 0, added.stderr
        made = served.client.post("/products/Acme/ideas", json={"title": "Dark mode"})
        advanced = served.client.post("/clock/advance", json={"seconds": 3600}).json()
        outcomes = [each["outcome"] for each in advanced["attempts"]]
        after = {"after": made.headers["Leanbe-Emitter-Cursor"], "status": "delivered"}
        (delivery,) = served.client.post("/deliveries/wait", json=after).json()["items"]
        shown = cli("clock", "show", "--db", served.ready["db"]).stdout
    # The worker may have made the first attempt before the clock was moved.
    assert outcomes in (["unknown", "unknown", "delivered"], ["unknown", "delivered"])
    assert [each["outcome"] for each in delivery["attempts"]] == ["unknown", "unknown", "delivered"]
    assert shown == f"{advanced['now']}\tmanual\n"


def test_time_passes_at_a_server_unless_the_clock_is_manual_and_then_it_says_so(
    cli: Cli, tmp_path: Path
) -> None:
    with run_server(tmp_path, "--ephemeral") as served:
        assert served.client.get("/clock").json()["kind"] == "system"
        assert "time stands still" not in served.end(signal.SIGTERM)[1]
    environ = {"LEANBE_EMITTER_TOKEN": "let-me-in"}
    still = ("--ephemeral", "--clock", "manual")
    with run_server(tmp_path, *still, environ=environ) as served:
        before = served.client.get("/clock").json()["now"]
        moved = cli("clock", "advance", "1h", "--db", served.ready["db"])
        assert moved.status == 0, moved.stderr
        told = served.end(signal.SIGTERM)[1].splitlines()
    begins = f"The clock is manual: time stands still at {before}, and retries wait"
    at = told.index(f"{begins} until you move it:")
    token = '-H "Authorization: Bearer $LEANBE_EMITTER_TOKEN"'
    call = f"{served.ready['url']}/api/v1/clock/advance -d '{{\"seconds\": 3600}}'"
    assert told[at + 1] == f"  leanbe-emitter clock advance 1h --db {served.ready['db']}"
    assert told[at + 2] == f"  curl {token} {call}"


@pytest.mark.parametrize("options", [(), ("--workers-off",)], ids=["worker", "no worker"])
def test_a_server_learns_that_another_process_made_the_clock_manual(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    with run_server(tmp_path, *options) as served:
        served.client.post("/products", json={"name": "Acme"})
        with Leanbe(f"sqlite:///{tmp_path / 'leanbe-emitter.db'}", clock="manual") as leanbe:
            leanbe.clock.set(START)

        def created_at() -> str:
            made = served.client.post("/products/Acme/ideas", json={"title": "Dark mode"})
            return str(made.json()["createdAt"])

        wait_until(lambda: created_at().startswith("2026-01-01"), "it goes by the manual clock")
        standing = {"kind": "manual", "now": NOW, "next": None}
        assert served.client.get("/clock").json() == standing
        assert served.client.get("/info").json()["clock"] == {"kind": "manual", "now": NOW}


def test_the_stream_goes_on_behind_a_cursor_and_holds_up_no_stop(tmp_path: Path) -> None:
    with run_server(tmp_path, "--ephemeral", "--workers-off") as served:
        served.client.post("/products", json={"name": "Acme"})
        made = served.client.post("/products/Acme/ideas", json={"title": "Dark\nmode"})
        last = {"Last-Event-ID": made.headers["Leanbe-Emitter-Cursor"]}
        with served.client.stream("GET", "/stream", headers=last) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            lines = answer.iter_lines()
            data = next(line for line in lines if line.startswith("data: "))
            assert json.loads(data.removeprefix("data: "))["payload"]["title"] == "Dark\nmode"
            status, said = served.end(signal.SIGTERM)
        assert (status, "Stopping" in said, "shutdown exceeded" in said) == (0, False, False)


def test_a_cursor_that_is_none_is_refused(tmp_path: Path) -> None:
    with run_server(tmp_path, "--ephemeral") as served:
        assert served.client.get("/stream", params={"after": "then"}).status_code == 422
        elsewhere = served.client.get("/stream", headers={"Last-Event-ID": "0-999-1"})
        assert (elsewhere.status_code, elsewhere.json()["code"]) == (422, "invalid_value")
