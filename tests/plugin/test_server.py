"""The fixture ``leanbe_server``: a server in a process of its own, for receivers in others."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command_line import environment_without_pytest
from tests.support.user_suites import WITHOUT_OTHER_PLUGINS, Suite
from tests.support.waiting import wait_until

#: A receiver in another process, and all fixtures that act on the server.
CONFTEST = """
import subprocess, sys
import pytest
from leanbe_emitter.testing import Receiver

@pytest.fixture(scope="session")
def receiver_url():
    command = [sys.executable, "-m", "leanbe_emitter", "receiver", "--port", "0"]
    with subprocess.Popen(
        [*command, "--secret", "whsec_test"], stdout=subprocess.PIPE, text=True
    ) as process:
        yield process.stdout.readline().strip()
        process.terminate()

@pytest.fixture
def leanbe_receiver(receiver_url):
    return Receiver(receiver_url, secret="whsec_test")

@pytest.fixture
def leanbe(leanbe_server):
    return leanbe_server.leanbe
"""

#: The same without a receiver: nobody listens there.
WITHOUT = """
import pytest
from leanbe_emitter.testing import Receiver

@pytest.fixture
def leanbe_receiver():
    return Receiver("http://127.0.0.1:9/", secret="whsec_test")

@pytest.fixture
def leanbe(leanbe_server):
    return leanbe_server.leanbe
"""

#: Writes down the server that each test had.
SERVERS = """
import pathlib, pytest

@pytest.mark.parametrize("number", range(8))
def test_it(leanbe_server, number, request):
    pathlib.Path(request.config.rootpath, f"{number}.server").write_text(leanbe_server.url)
"""


def test_the_server_delivers_to_a_receiver_in_another_process_and_is_empty_for_each_test(
    suite: Suite,
) -> None:
    finished = suite.run(
        """
        import pytest

        @pytest.mark.parametrize("again", [False, True])
        def test_votes(leanbe, leanbe_product, again):
            assert leanbe.clock.now().isoformat() == "2026-01-01T00:00:00+00:00"
            leanbe.faults.receiver_fails()
            idea = leanbe_product.ideas.create(title="Dark mode")
            leanbe.wait_until_idle(timeout_seconds=30)
            assert leanbe.deliveries.last().outcome == "unknown"
            leanbe.clock.advance(hours=1)
            leanbe.assert_delivered("idea.created", times=1)

        def test_a_triggered_event_goes_to_the_receiver(leanbe_server):
            assert leanbe_server.leanbe.trigger("idea.created").delivered

        def test_the_api_shows_the_same(leanbe_server, leanbe_product):
            import json, urllib.request
            with urllib.request.urlopen(leanbe_server.url + "/api/v1/products") as answer:
                (product,) = json.load(answer)["items"]
            assert product["_id"] == leanbe_product.id
        """,
        conftest=CONFTEST,
    )
    finished.assert_outcomes(passed=4)


@pytest.mark.prove
def test_each_worker_of_xdist_has_one_server_for_all_of_its_tests(suite: Suite) -> None:
    finished = suite.run_as_process(SERVERS, "-n", "2", conftest="")
    finished.assert_outcomes(passed=8)
    assert len({path.read_text() for path in suite.pytester.path.glob("*.server")}) == 2


def test_the_bytes_are_the_same_in_every_run_and_a_failed_test_shows_what_was_sent(
    suite: Suite,
) -> None:
    test = """
        def test_it(leanbe, leanbe_product, request):
            leanbe_product.ideas.create(title="Dark mode")
            body = leanbe.deliveries.last().event.body
            with (request.config.rootpath / "bodies").open("ab") as bodies:
                bodies.write(body + b"\\n")
            leanbe.wait_until_idle(timeout_seconds=30)
            leanbe.assert_delivered("idea.created")
    """
    for _ in range(2):
        finished = suite.run(test, conftest=WITHOUT)
        finished.assert_outcomes(failed=1)
        finished.stdout.fnmatch_lines(["*- leanbe deliveries -*", "*attempt 1: unreachable*"])
    first, second = (suite.pytester.path / "bodies").read_text().splitlines()
    assert first == second


def test_a_receiver_that_asked_for_the_server_first_is_the_one_that_is_sent_to(
    suite: Suite,
) -> None:
    finished = suite.run(
        """
        import pytest
        from leanbe_emitter.testing import Receiver

        @pytest.fixture
        def leanbe_receiver(leanbe_server):
            return Receiver("http://127.0.0.1:9/", path="/its-own", secret="whsec_test")

        def test_it(leanbe_receiver, leanbe_server):
            assert leanbe_server.leanbe.trigger("idea.created").url.endswith("/its-own")
        """,
        conftest="",
    )
    finished.assert_outcomes(passed=1)


def test_a_server_that_begins_with_what_asks_for_it_is_told_so(suite: Suite) -> None:
    finished = suite.run(
        """
        import pytest

        @pytest.fixture
        def leanbe_receiver(leanbe_server): pass

        def test_it(leanbe_server): pass
        """,
        conftest="",
    )
    finished.assert_outcomes(errors=1)
    finished.stdout.fnmatch_lines(
        ["leanbe, leanbe_product and leanbe_server depend on leanbe_receiver*"]
    )


def test_a_contradiction_in_a_tests_options_is_told(suite: Suite) -> None:
    finished = suite.run(
        """
        import pytest

        def test_two_databases(leanbe, leanbe_server): pass

        def test_two_databases_the_other_way_round(leanbe_server, leanbe): pass

        @pytest.mark.leanbe(clock="system")
        def test_another_clock(leanbe_server): pass

        def test_no_receiver(leanbe_server): leanbe_server.leanbe.trigger("idea.created")
        """,
        conftest="",
    )
    finished.assert_outcomes(errors=3, failed=1)
    finished.stdout.fnmatch_lines(
        [
            *["leanbe and leanbe_server are two databases, but a test can have only one."] * 2,
            "leanbe_server cannot be set up: leanbe_server has its own clock. *",
            "*the fixture leanbe_receiver is not defined*",
        ]
    )


def test_a_server_that_does_not_start_says_why(
    suite: Suite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEANBE_EMITTER_CONCURRENCY", "many")
    finished = suite.run("def test_it(leanbe_server): pass", conftest="")
    finished.assert_outcomes(errors=1)
    finished.stdout.fnmatch_lines(
        ["leanbe_server cannot be started: The server did not start. *EMITTER_CONCURRENCY: *"]
    )


def test_a_server_that_has_gone_is_told(
    suite: Suite, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))  # what it can no longer clear away
    finished = suite.run(
        """
        import os, signal

        def test_a_kill(leanbe_server, leanbe_server_process):
            os.kill(leanbe_server_process.pid, signal.SIGKILL)

        def test_after_it(leanbe_server): pass
        """,
        conftest="",
    )
    finished.assert_outcomes(passed=1, errors=1)
    finished.stdout.fnmatch_lines(["leanbe_server cannot be *: The server at http* any more: *"])


@pytest.mark.prove
def test_a_kill_of_pytest_leaves_no_server(suite: Suite, tmp_path: Path) -> None:
    suite.write(
        """
        import time

        def test_it(leanbe_server):
            print(leanbe_server.url, flush=True)
            time.sleep(60)
        """,
        conftest="",
    )
    with subprocess.Popen(
        [sys.executable, "-m", "pytest", "-s", "-q", *WITHOUT_OTHER_PLUGINS],
        cwd=suite.pytester.path,
        env={**environment_without_pytest(), "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        next(line for line in process.stdout if line.startswith("http://"))
        (folder,) = tmp_path.glob("leanbe-emitter-*")
        os.kill(process.pid, signal.SIGKILL)
        wait_until(lambda: not folder.exists(), "the server is gone, and its database with it")
