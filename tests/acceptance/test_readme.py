"""README and docs/server.md say what the code does: commands and code are run as they stand.

A marked block (``<!-- run: name -->``) is run with two things changed: the port, because 8000 may
be taken, and the address of PostgreSQL.
"""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from leanbe_emitter.clock import SystemClock
from leanbe_emitter.wire.envelope import seal
from tests.command_line import environment, outside_of_pytest
from tests.ports import free_port
from tests.readme import BLOCKS, FILES, README, ROOT, block
from tests.suites import ALONE

#: How long a script may take: it starts a dozen commands, on a machine that may have other work.
LONGEST_SECONDS = 300
NAMES = [name for name, _, _ in BLOCKS]
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("*/README.md")]


class Shell:
    """Runs blocks of the README as a reader would, in a folder of their own."""

    def __init__(self, folder: Path, port: int) -> None:
        self._folder = folder
        self._port = port

    def run(self, *names: str, **replaced: str) -> str:
        """Run these blocks in one bash, each line having to succeed; return all they print."""
        script = "\n".join(["set -e", *map(block, names)])
        for old, new in {"8000": str(self._port), **replaced}.items():
            script = script.replace(old, new)
        # A receiver is there before what is started after it, but on a machine that is busy.
        # Whether a server is, the README asks itself.
        listening = r"until (: > /dev/tcp/127.0.0.1/\2) 2>/dev/null; do sleep 0.05; done"
        begun = re.compile(r"^(.* receiver .*--port (\d+).*) &$", re.MULTILINE)
        return self._bash(begun.sub(rf"\1 &\n{listening}", script))

    def _bash(self, script: str) -> str:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        with subprocess.Popen(
            ["bash", "-c", script],
            cwd=self._folder,
            env=environment({"PATH": path}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as bash:
            # What was started in the background holds the pipe: it ends with the script.
            with suppress(subprocess.TimeoutExpired):
                bash.wait(LONGEST_SECONDS)
            with suppress(ProcessLookupError):
                os.killpg(bash.pid, signal.SIGTERM)
            printed = bash.stdout.read() if bash.stdout else ""
        assert bash.returncode == 0, printed
        return printed


@pytest.fixture
def shell(tmp_path: Path, port: int) -> Shell:
    return Shell(tmp_path, port)


def test_every_marked_block_has_its_test() -> None:
    tested = Path(__file__).read_text()
    assert len(NAMES) == len(set(NAMES)) >= 7
    for name in NAMES:
        assert f'"{name}"' in tested or name == "make serve"


def test_the_quick_start_delivers_and_explain_names_the_mistake(shell: Shell) -> None:
    printed = shell.run("quick start", "explain", "look", "assumptions")
    assert printed.count("204 No Content") >= 3
    assert "raw body" in printed
    assert "JSON.stringify(payload)" in printed
    assert "curl " in printed
    assert "interface" in printed or "type " in printed
    assert "X-Leanbe-Signature" in printed or "signature_location" in printed


def test_acting_as_leanbes_users_raises_the_events_that_follow(shell: Shell) -> None:
    printed = shell.run("quick start", "act")
    events = re.findall(r"-> (\S+) +…", printed)
    assert events == [
        "customer.created",
        "ideaRequest.created",
        "idea.created",
        "ideaRequest.attachedToIdea",
        "idea.upVoted",
        "idea.promoted",
        "backlogItem.created",
        "backlogItem.statusChanged",
        "announcement.created",
    ]
    assert printed.count("204 No Content") >= len(events)
    assert '"promoted": true' in printed


@pytest.mark.curl
def test_what_curl_does_over_http_is_delivered(shell: Shell) -> None:
    printed = shell.run("serve", "curl", **{"5326": str(free_port())})
    for event in ("idea.created", "idea.upVoted"):
        delivered = rf'"status":"delivered".*"event":"{event}".*"status":204'
        assert re.search(delivered, printed), printed
    assert '"upvotes":3' in printed


@pytest.mark.curl
def test_an_outage_that_curl_makes_takes_no_time_and_is_survived(shell: Shell) -> None:
    printed = shell.run("serve", "curl", "control", **{"5326": str(free_port())})
    outcomes = '"outcome":"unknown".*"outcome":"unknown".*"outcome":"delivered"'
    assert re.search(outcomes, printed.rpartition('"cursor":')[0].rpartition("\n")[2]), printed


@contextmanager
def make_serve() -> Iterator[int]:
    """Type ``make serve`` in the checkout; yield the port that it listens at."""
    port = free_port()
    outside = {name: value for name, value in environment().items() if "MAKE" not in name}
    with subprocess.Popen(
        ["make", "serve"],
        cwd=ROOT,
        env={**outside, "LEANBE_EMITTER_PORT": str(port)},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as make:
        assert make.stdout is not None
        try:
            assert f"http://127.0.0.1:{port}\n" in iter(make.stdout.readline, "")
            yield port
        finally:
            os.killpg(make.pid, signal.SIGINT)


@pytest.mark.curl
@pytest.mark.usefixtures("receiver")
def test_make_serve_begins_with_a_product_and_does_what_curl_says(shell: Shell) -> None:
    databases = set(ROOT.glob("*.db*"))
    with make_serve() as port:
        assert '"title":"Dark mode"' in shell.run("seeded", **{"5326": str(port)})
        printed = shell.run("curl", "control", **{"5326": str(port)})
        assert re.search(
            r'"outcome":"unknown".*"outcome":"unknown".*"outcome":"delivered"', printed
        )
        assert '"title":"Dark mode"' in shell.run("seeded", **{"5326": str(port)}), "it was reset"
    with make_serve() as port:
        assert '"title":"Dark mode"' in shell.run("seeded", **{"5326": str(port)})
    assert set(ROOT.glob("*.db*")) == databases


def test_a_seed_file_is_what_a_suite_begins_with(shell: Shell) -> None:
    assert "Dark mode" in shell.run("seed file")


def test_the_commands_for_postgresql_work(shell: Shell, postgresql_url: str) -> None:
    shell.run("postgresql", **{"postgresql://leanbe@127.0.0.1/leanbe": postgresql_url})


@pytest.fixture
def receiver(port: int, tmp_path: Path) -> Iterator[None]:
    command = [sys.executable, "-m", "leanbe_emitter", "receiver", "--secret", "whsec_test"]
    with subprocess.Popen(
        [*command, "--port", str(port)], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("http://")
        yield
        process.terminate()
        process.stdout.read()


@pytest.mark.usefixtures("receiver")
@pytest.mark.parametrize("name", ["library", "actions", "in process", "awaited"])
def test_the_examples_of_the_library_run(name: str, port: int) -> None:
    exec(compile(block(name).replace("8000", str(port)), "README.md", "exec"), {})  # noqa: S102 - our own


@pytest.mark.usefixtures("receiver")
def test_the_suite_for_a_receiver_in_another_process_passes(tmp_path: Path, port: int) -> None:
    suite = tmp_path / "test_outage.py"
    suite.write_text(block("another process").replace("8000", str(port)))
    command = [sys.executable, "-m", "pytest", *ALONE, "-q"]
    ran = subprocess.run(
        command, cwd=tmp_path, env=outside_of_pytest(), capture_output=True, text=True, check=False
    )
    assert "1 passed" in ran.stdout, ran.stdout


def test_the_files_that_it_shows_are_those_of_the_example() -> None:
    assert len(FILES) == 3
    for path, shown in FILES.items():
        assert shown == (ROOT / path).read_text(), f"README.md shows another {path}"


def test_the_verifying_example_tells_right_from_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, object] = {}
    exec(compile(block("verify"), "README.md", "exec"), names)  # noqa: S102 - our own
    receive = names["receive"]
    assert callable(receive)
    body = seal(
        '{"_id":"649d2ac49c3a1954e6a2e421"}',
        event="idea.deleted",
        triggered_at=SystemClock().now(),
        secret="whsec_test",
    ).body.encode()
    assert receive(body) == 204
    assert capsys.readouterr().out == "idea.deleted 649d2ac49c3a1954e6a2e421\n"
    assert receive(body.replace(b"649d", b"0000")) == 401


def test_the_picture_of_the_demo_is_what_it_prints(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "leanbe_emitter", "demo", "--output", "table"]
    demo = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    picture = README.partition("```text\n")[2].partition("```")[0]
    printed = {_shape(line) for line in demo.stdout.splitlines()}
    for line in picture.splitlines():
        assert line == "..." or "Node.js" in line or _shape(line) in printed, line


def _shape(line: str) -> str:
    """Return a line without its figures of time."""
    return re.sub(r" +\d+\.\d ms", " N ms", line)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!http)([^)]+)\)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_the_architecture_names_every_part_of_the_package() -> None:
    architecture = (ROOT / "ARCHITECTURE.md").read_text()
    for package in sorted((ROOT / "leanbe_emitter").iterdir()):
        if package.is_dir() and (package / "__init__.py").exists():
            assert f"{package.name}/" in architecture, package.name
        elif package.suffix == ".py" and not package.name.startswith("__"):
            assert package.name in architecture, package.name


def test_a_receiver_to_start_from_is_printed(shell: Shell, tmp_path: Path) -> None:
    shell.run("snippet")
    compile((tmp_path / "receiver.py").read_text(), "receiver.py", "exec")
