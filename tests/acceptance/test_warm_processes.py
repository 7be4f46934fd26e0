"""A process that the tests fork is one that was started, but for what it has imported."""

import json
import signal
import subprocess
from typing import Any

import pytest

from tests.support.command_line import environment
from tests.support.doc_pages import ROOT
from tests.support.warm_process import START, WarmProcess, process_class

FACTS = (*START, "tests.support.process_facts", "one", "--two")
VARIABLES = environment({"LEANBE_EMITTER_DB": "sqlite:///x.db"})


def told_by(way: type[subprocess.Popen[Any]]) -> tuple[int, dict[str, Any], str]:
    pipe = subprocess.PIPE
    with way(FACTS, cwd=ROOT, env=VARIABLES, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        stdout, stderr = process.communicate(b"said to it")
    return process.returncode, json.loads(stdout), stderr.decode()


def test_it_is_given_what_a_start_gives() -> None:
    assert process_class(FACTS, VARIABLES) is WarmProcess
    assert told_by(WarmProcess) == told_by(subprocess.Popen)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_its_end_by_a_signal_is_told(number: signal.Signals) -> None:
    command = (*START, "tests.support.process_facts")
    with WarmProcess(
        command, cwd=ROOT, env=VARIABLES, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    ) as process:
        assert process.poll() is None
        process.send_signal(number)
        assert process.wait(60) == process.poll() == -number


def test_a_process_with_another_setup_of_python_is_started_anew() -> None:
    assert process_class(FACTS, {**VARIABLES, "PYTHONUTF8": "1"}) is subprocess.Popen
    assert process_class(("bash", "-c", *FACTS), VARIABLES) is subprocess.Popen
