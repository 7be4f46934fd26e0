"""A process that the tests fork is one that was started, but for what it has imported."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import environment
from tests.support.doc_pages import ROOT
from tests.support.warm_process import START, WarmProcess, path_of_shells, process_class

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


def in_shell(script: str, path: str) -> tuple[str, str]:
    """Return what a script prints where programs are found on a path."""
    ran = subprocess.run(
        ["bash", "-c", script],
        cwd=ROOT,
        env=environment({"PATH": path}),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return ran.stdout, ran.stderr


def test_the_command_of_shells_says_and_ends_as_the_installed_one() -> None:
    script = """
        leanbe-emitter assumptions show trigged_at; echo $?
        echo '{"a":"é"}' | leanbe-emitter sign --secret s --payload -; echo $?
        leanbe-emitter receiver --secret s --port 0 > /dev/null & kill $!; wait $!; echo $(($? > 0))
    """
    installed = in_shell(script, f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    assert in_shell(script, path_of_shells()) == installed
    assert installed[0].splitlines()[0] == "2"


def test_a_signal_to_the_command_of_shells_is_the_processs() -> None:
    script = """
        exec 3< <(exec leanbe-emitter receiver --secret s --port 0)
        read -r url <&3; kill -TERM $!; cat <&3; echo $url
    """
    assert in_shell(script, path_of_shells())[0].startswith("http://")
