"""Commands that run with a server of their own, and waiting for one."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.command_line import PROGRAM, environment, run_process
from tests.receiving import receiving
from tests.serving import serving
from tests.waiting import until

PYTHON = sys.executable


def test_a_command_finds_server_database_and_secret(tmp_path: Path) -> None:
    code = (
        "import os, urllib.request as r, leanbe_emitter as l;"
        "db = l.Leanbe(os.environ['LEANBE_EMITTER_DB']);"
        "assert db.products.only().webhook.secret == os.environ['HOOK'];"
        "db.close();"
        "print(r.urlopen(os.environ['LEANBE_EMITTER_URL'] + '/api/v1/products').read().decode())"
    )
    options = ("--webhook-url", "http://127.0.0.1:9/", "--secret-env", "HOOK")
    ran = run_process("exec", *options, "--", PYTHON, "-c", code, cwd=tmp_path)
    assert (ran.status, ran.stderr) == (0, "")
    assert json.loads(ran.stdout)["items"][0]["name"] == "Acme"
    assert list(tmp_path.iterdir()) == []


def test_its_server_listens_to_this_machine_alone(tmp_path: Path) -> None:
    code = "import os; print(os.environ['LEANBE_EMITTER_URL'])"
    exposed = {"LEANBE_EMITTER_HOST": "0.0.0.0", "LEANBE_EMITTER_PORT": "1"}
    ran = run_process("exec", "--", PYTHON, "-c", code, cwd=tmp_path, environ=exposed)
    assert (ran.status, ran.stdout.rpartition(":")[0]) == (0, "http://127.0.0.1"), ran.stderr


def test_its_status_is_passed_on_and_said(tmp_path: Path) -> None:
    ran = run_process("exec", "--", PYTHON, "-c", "raise SystemExit(7)", cwd=tmp_path)
    assert (ran.status, ran.stderr) == (7, f"{PYTHON} ended with 7.\n")
    killed = run_process("exec", "--", "sh", "-c", "kill -9 $$", cwd=tmp_path)
    assert killed.status == 128 + 9


def test_a_command_that_there_is_not_is_a_usage_error(tmp_path: Path) -> None:
    ran = run_process("exec", "--", "no-such-command", cwd=tmp_path)
    assert ran.status == 2
    assert "'no-such-command' cannot be run" in ran.stderr


def test_sigterm_is_the_commands_and_leaves_no_server(tmp_path: Path) -> None:
    code = "import os, time; print(os.environ['LEANBE_EMITTER_URL'], flush=True); time.sleep(60)"
    with subprocess.Popen(
        [*PROGRAM, "exec", "--", PYTHON, "-c", code],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
    assert process.returncode == 128 + 15
    ran = run_process("ready", "--url", url, "--timeout", "0s", cwd=tmp_path)
    assert (ran.status, "ConnectionRefusedError" in ran.stderr) == (1, True)


def test_ready_prints_the_url_of_a_server_that_can_work(tmp_path: Path) -> None:
    with serving(tmp_path, "--ephemeral") as served:
        ran = run_process("ready", "--url", served.ready["url"], cwd=tmp_path)
    assert (ran.status, ran.stdout) == (0, f"{served.ready['url']}\n")


def test_ready_asks_a_server_at_all_addresses_by_the_loopbacks(tmp_path: Path) -> None:
    options = ("--ephemeral", "--no-token", "--allowed-host", "leanbe-emitter")
    with serving(tmp_path, "--host", "0.0.0.0", *options) as served:
        port = served.ready["url"].rpartition(":")[2]
        listens = {"LEANBE_EMITTER_HOST": "0.0.0.0", "LEANBE_EMITTER_PORT": port}
        ran = run_process("ready", "--timeout", "0s", cwd=tmp_path, environ=listens)
    assert (ran.status, ran.stdout, ran.stderr) == (0, f"{served.ready['url']}\n", "")


def test_what_is_no_server_is_not_ready(tmp_path: Path) -> None:
    with receiving(tmp_path) as receiver:
        ran = run_process("ready", "--url", receiver.url, "--timeout", "100ms", cwd=tmp_path)
    assert (ran.status, ran.stdout) == (1, "")
    assert "is not ready: bad signature" in ran.stderr
    refused = run_process("ready", "--url", "ftp://127.0.0.1", cwd=tmp_path)
    assert refused.status == 2


def test_a_kill_leaves_neither_server_nor_database(tmp_path: Path) -> None:
    code = (
        "import os, time;"
        "print(os.environ['LEANBE_EMITTER_URL'], os.environ['LEANBE_EMITTER_DB'], flush=True);"
        "time.sleep(60)"
    )
    with subprocess.Popen(
        [*PROGRAM, "exec", "--", PYTHON, "-c", code],
        cwd=tmp_path,
        env=environment({"TMPDIR": str(tmp_path)}),
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        url, db = process.stdout.readline().split()
        folder = Path(db.removeprefix("sqlite:///")).parent
        assert (folder.parent, folder.exists()) == (tmp_path, True)
        process.kill()
        until(lambda: not folder.exists(), "the database is gone")
        ran = run_process("ready", "--url", url, "--timeout", "0s", cwd=tmp_path)
        os.killpg(process.pid, signal.SIGKILL)  # the command, which nobody ends
    assert (ran.status, "ConnectionRefusedError" in ran.stderr) == (1, True)
