"""Commands that run with a server of their own, and waiting for one."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from leanbe_emitter.clock import stopwatch
from tests.support.command_line import (
    PROGRAM,
    environment,
    next_line,
    run_process,
    start_program,
    wait_for_end,
)
from tests.support.receiver_process import run_receiver
from tests.support.server_process import run_server
from tests.support.waiting import wait_until

PYTHON = sys.executable


def test_a_command_finds_server_database_and_secret_and_has_its_own_options(tmp_path: Path) -> None:
    """Its server listens to this machine alone, whatever the settings say."""
    code = (
        "import os, sys, urllib.request as r, leanbe_emitter as l;"
        "url = os.environ['LEANBE_EMITTER_URL'];"
        "db = l.Leanbe(os.environ['LEANBE_EMITTER_DB']);"
        "assert db.products.only().webhook.secret == os.environ['HOOK'];"
        "db.close();"
        "print(sys.argv[1], url);"
        "print(r.urlopen(url + '/api/v1/products').read().decode())"
    )
    options = ("--webhook-url", "http://127.0.0.1:9/", "--secret-env", "HOOK")
    exposed = {"LEANBE_EMITTER_HOST": "0.0.0.0", "LEANBE_EMITTER_PORT": "1"}
    command = (PYTHON, "-c", code, "--db")
    ran = run_process("exec", *options, *command, cwd=tmp_path, environ=exposed)
    assert (ran.status, ran.stderr) == (0, "")
    told, products = ran.stdout.splitlines()
    assert told.rpartition(":")[0] == "--db http://127.0.0.1"
    assert json.loads(products)["items"][0]["name"] == "Acme"
    assert list(tmp_path.iterdir()) == []


def test_its_status_is_passed_on_and_said(tmp_path: Path) -> None:
    ran = run_process("exec", "--", PYTHON, "-c", "raise SystemExit(7)", cwd=tmp_path)
    assert (ran.status, ran.stderr) == (7, f"{PYTHON} ended with 7.\n")
    killed = run_process("exec", "--", "sh", "-c", "kill -9 $$", cwd=tmp_path)
    assert killed.status == 128 + 9


def test_a_command_that_there_is_not_is_a_usage_error(tmp_path: Path) -> None:
    ran = run_process("exec", "--", "no-such-command", cwd=tmp_path)
    assert ran.status == 2
    assert "'no-such-command' cannot be run" in ran.stderr


def test_a_database_that_it_would_not_use_is_refused(tmp_path: Path) -> None:
    ran = run_process("exec", "--db", "sqlite:///mine.db", "--", PYTHON, "-c", "", cwd=tmp_path)
    assert (ran.status, "Leave out --db" in ran.stderr) == (2, True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("A=B", "'A=B' is not a name of a variable: write it like"),
        ("1 x=", "'1 x=' is not a name of a variable: write it like"),
        ("", "'' is not a name of a variable: write it like"),
        ("PATH", "PATH cannot hold the secret: the system finds commands by it."),
        (
            "LEANBE_EMITTER_URL",
            "LEANBE_EMITTER_URL cannot hold the secret: LEANBE_EMITTER_* are settings",
        ),
        (
            "LEANBE_EMITTER_PORT",
            "LEANBE_EMITTER_PORT cannot hold the secret: LEANBE_EMITTER_* are settings",
        ),
    ],
)
def test_a_variable_that_cannot_hold_the_secret_is_refused(
    name: str, said: str, tmp_path: Path
) -> None:
    ran = run_process("exec", "--secret-env", name, "--", PYTHON, "-c", "", cwd=tmp_path)
    assert (ran.status, f"'--secret-env': {said}" in ran.stderr) == (2, True), ran.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_is_the_commands_and_leaves_no_server(
    tmp_path: Path, number: signal.Signals
) -> None:
    code = "import os, time; print(os.environ['LEANBE_EMITTER_URL'], flush=True); time.sleep(60)"
    with start_program("exec", "--", PYTHON, "-c", code, cwd=tmp_path) as process:
        url = next_line(process.stdout)
        assert wait_for_end(process, number)[0] == 128 + number
    ran = run_process("ready", "--url", url, "--timeout", "0s", cwd=tmp_path)
    assert (ran.status, "nobody listens there" in ran.stderr) == (1, True)


def test_ready_prints_the_url_of_a_server_that_can_work(tmp_path: Path) -> None:
    with run_server(tmp_path, "--ephemeral") as served:
        ran = run_process("ready", "--url", served.ready["url"], cwd=tmp_path)
    assert (ran.status, ran.stdout) == (0, f"{served.ready['url']}\n")


def test_ready_asks_a_server_at_all_addresses_by_the_loopbacks(tmp_path: Path) -> None:
    options = ("--ephemeral", "--no-token", "--allowed-host", "leanbe-emitter")
    with run_server(tmp_path, "--host", "0.0.0.0", *options) as served:
        port = served.ready["url"].rpartition(":")[2]
        listens = {"LEANBE_EMITTER_HOST": "0.0.0.0", "LEANBE_EMITTER_PORT": port}
        ran = run_process("ready", "--timeout", "0s", cwd=tmp_path, environ=listens)
    assert (ran.status, ran.stdout, ran.stderr) == (0, f"{served.ready['url']}\n", "")


def test_a_receiver_is_no_server_that_is_ready(tmp_path: Path) -> None:
    with run_receiver(tmp_path) as receiver:
        ran = run_process("ready", "--url", receiver.url, "--timeout", "100ms", cwd=tmp_path)
    assert (ran.status, ran.stdout) == (1, "")
    assert "is not ready: what listens there is no leanbe-emitter: it answers 401." in ran.stderr
    assert "Was it started?" not in ran.stderr
    refused = run_process("ready", "--url", "ftp://127.0.0.1", cwd=tmp_path)
    assert refused.status == 2


#: Kills the other child of the process that started it, and waits until it is dead.
KILLS_THE_SERVER = """
import os, pathlib, select, signal
def parent(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]
    except OSError:
        return None
boss, me = str(os.getppid()), str(os.getpid())
others = (pid for pid in os.listdir("/proc") if pid.isdigit() and pid != me)
(server,) = (pid for pid in others if parent(pid) == boss)
watched = os.pidfd_open(int(server))
os.kill(int(server), signal.SIGKILL)
select.select([watched], [], [])
"""


def test_a_server_that_ended_before_the_command_is_told_of(tmp_path: Path) -> None:
    here = {"TMPDIR": str(tmp_path)}  # what it can no longer clear away
    ran = run_process("exec", "--", PYTHON, "-c", KILLS_THE_SERVER, cwd=tmp_path, environ=here)
    assert ran.stderr == "The server had ended before. Its own output may say why.\n"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("localhost:5326", "'localhost:5326' is no URL of a server."),
        ("http://127.0.0.1:99999", "'http://127.0.0.1:99999' is no URL of a server."),
        ("http://[::1", "'http://[::1' is no URL of a server."),
    ],
)
def test_a_text_that_cannot_be_a_servers_url_is_refused(
    url: str, said: str, tmp_path: Path
) -> None:
    ran = run_process("ready", "--url", url, "--timeout", "0s", cwd=tmp_path)
    assert (ran.status, said in ran.stderr) == (2, True)


def test_a_listener_that_hangs_up_or_speaks_something_else_is_described(tmp_path: Path) -> None:
    for answer, said in (
        (b"", "it hung up without an answer."),
        (b"SSH-2.0-OpenSSH\r\n", "what listens there does not speak HTTP."),
        (b"HTTP/1.0 200 OK\r\n\r\n{}", "no leanbe-emitter: it answers 200."),
    ):
        with answering_once(answer) as port:
            url = f"http://127.0.0.1:{port}"
            ran = run_process("ready", "--url", url, "--timeout", "0s", cwd=tmp_path)
        assert (ran.status, said in ran.stderr) == (1, True), ran.stderr


def test_an_answer_is_waited_for_no_longer_than_the_timeout(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        began_at = stopwatch()
        ran = run_process("ready", "--url", url, "--timeout", "1500ms", cwd=tmp_path)
    assert stopwatch() - began_at < 10
    assert ran.stderr == (
        f"error: After 1.5 s the server at {url} is not ready: it does not answer.\n"
    )


@contextmanager
def answering_once(answer: bytes) -> Iterator[int]:
    """Listen at a port, and answer the first who comes."""

    def answered() -> None:
        connection, _ = listening.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=answered)
        thread.start()
        yield int(listening.getsockname()[1])
        thread.join()


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
        wait_until(lambda: not folder.exists(), "the database is gone")
        ran = run_process("ready", "--url", url, "--timeout", "0s", cwd=tmp_path)
        os.killpg(process.pid, signal.SIGKILL)  # the command, which nobody ends
    assert (ran.status, "nobody listens there" in ran.stderr) == (1, True)
