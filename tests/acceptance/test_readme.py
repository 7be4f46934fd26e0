"""The README and docs/ say what the code does: commands and code are run as they stand.

A marked block (``<!-- run: name -->``) is run with two things changed: the ports, because others
may have taken them, and the address of PostgreSQL. Blocks of YAML are for ``test_ci_snippets``.
"""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import Field, fields
from pathlib import Path

import pytest

from leanbe_emitter import Leanbe
from leanbe_emitter.clock import SystemClock
from leanbe_emitter.settings import Settings, variable
from leanbe_emitter.wire.assumptions.catalogue import ASSUMPTIONS, Kind
from leanbe_emitter.wire.envelope import seal
from tests.support.command_line import (
    environment,
    environment_without_pytest,
    next_line,
    start_program,
)
from tests.support.doc_pages import BLOCKS, DOCS, FILES, README, ROOT, marked_block
from tests.support.ports import free_port
from tests.support.user_suites import WITHOUT_OTHER_PLUGINS
from tests.support.warm_process import path_of_shells

#: How long a script may take: it starts a dozen commands, on a machine that may have other work.
LONGEST_SECONDS = 300
#: How many lines a page that everybody reads may have.
LONGEST = {"README.md": 200, "ARCHITECTURE.md": 150}
#: How many lines the glossary may have.
LONGEST_GLOSSARY = 25
NAMES = [name for name, _, _ in BLOCKS]
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("[!.]*/README.md")]


class Shell:
    """Runs blocks of the pages as a reader would, in a folder of their own."""

    def __init__(self, folder: Path, port: int) -> None:
        self._folder = folder
        self._port = port

    def run(self, *names: str, **replaced: str) -> str:
        """Run these blocks in one bash, each line having to succeed; return all they print."""
        script = "\n".join(["set -e", *map(marked_block, names)])
        for old, new in {"8000": str(self._port), **replaced}.items():
            script = script.replace(old, new)
        # A receiver is there before what is started after it, but on a machine that is busy.
        # Whether a server is, the pages ask themselves.
        listening = r"until (: > /dev/tcp/127.0.0.1/\2) 2>/dev/null; do sleep 0.05; done"
        begun = re.compile(r"^(.* receiver .*--port (\d+).*) &$", re.MULTILINE)
        return self._bash(begun.sub(rf"\1 &\n{listening}", script))

    def _bash(self, script: str) -> str:
        with subprocess.Popen(
            ["bash", "-c", script],
            cwd=self._folder,
            env=environment({"PATH": path_of_shells()}),
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
    here = Path(__file__)
    tested = here.read_text() + here.with_name("test_ci_snippets.py").read_text()
    assert len(NAMES) == len(set(NAMES)) >= 28
    for name in NAMES:
        assert f'"{name}"' in tested or name == "make serve"


def test_the_readmes_receiver_is_told_its_mistake_and_the_line_to_change(shell: Shell) -> None:
    command = "hooks/leanbe --secret whsec_test"
    printed = shell.run(
        "is my receiver right", **{command: f"{command} --output table || test $? = 1"}
    )
    shown = README.partition("```text\n")[2].partition("```")[0]
    assert " ".join(shown.split()) in " ".join(printed.split())


def test_the_page_on_checks_shows_a_finding_and_the_list(shell: Shell) -> None:
    printed = shell.run("check")
    assert "signature.missing\tmust\tfail" in printed
    assert "idempotency.concurrent\tmust\tnetwork" in printed


def test_the_checks_are_tests_of_a_suite(tmp_path: Path) -> None:
    (tmp_path / "your_project.py").write_text(marked_block("verify") + AN_APP)
    printed = suite_of(tmp_path, marked_block("checks in pytest"))
    assert re.search(r"^\d\d passed, \d+ skipped", printed, re.MULTILINE), printed


def test_the_quick_start_delivers_and_explain_names_the_mistake(
    shell: Shell, tmp_path: Path
) -> None:
    """Acting as Leanbe's users raises the events that follow, too."""
    blocks = ("quick start", "explain", "vectors", "send", "look", "assumptions", "act")
    printed = shell.run(*blocks)
    assert printed.count("204 No Content") >= 4 + len(EVENTS_OF_ACTING)
    assert "raw body" in printed
    assert "JSON.stringify(body.payload)" in printed
    assert "curl " in printed
    assert "export type LeanbeEvent" in (tmp_path / "leanbe.ts").read_text()
    assert json.loads((tmp_path / "leanbe-vectors.json").read_text())["vectors"]
    assert "X-Leanbe-Signature" in printed or "signature_location" in printed
    assert re.findall(r"-> (\S+) +…", printed)[-len(EVENTS_OF_ACTING) :] == EVENTS_OF_ACTING
    assert '"promoted": true' in printed


#: What the block about acting raises.
EVENTS_OF_ACTING = [
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


@pytest.mark.curl
def test_the_readmes_server_delivers_what_it_is_told(shell: Shell) -> None:
    printed = shell.run("local server", **{"5326": str(free_port())})
    delivered = r'"status":"delivered".*"event":"idea.created".*"status":204'
    assert re.search(delivered, printed), printed


def test_a_manual_clock_moves_by_the_commands_of_its_page(shell: Shell, tmp_path: Path) -> None:
    Leanbe(f"sqlite:///{tmp_path / 'leanbe-emitter.db'}", clock="manual").close()
    printed = shell.run("clock commands")
    assert "2026-01-01T00:00:00.000Z" in printed
    assert "2026-01-01T01:00:00.000Z" in printed


@pytest.mark.curl
def test_actions_by_curl_are_delivered_and_survive_an_outage(shell: Shell) -> None:
    printed = shell.run("serve", "curl", "control", **{"5326": str(free_port())})
    for event in ("idea.created", "idea.upVoted"):
        delivered = rf'"status":"delivered".*"event":"{event}".*"status":204'
        assert re.search(delivered, printed), printed
    assert '"upvotes":3' in printed
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
    command = ("receiver", "--secret", "whsec_test", "--port", str(port))
    with start_program(*command, cwd=tmp_path) as process:
        assert next_line(process.stdout).startswith("http://")
        yield


@pytest.mark.usefixtures("receiver")
@pytest.mark.parametrize("name", ["library", "actions", "in process", "awaited", "clock"])
def test_the_examples_of_the_library_run(name: str, port: int) -> None:
    exec(compile(marked_block(name).replace("8000", str(port)), name, "exec"), {})  # noqa: S102 - our own


@pytest.mark.usefixtures("receiver")
def test_the_suite_for_a_receiver_in_another_process_passes(tmp_path: Path, port: int) -> None:
    assert "1 passed" in suite_of(
        tmp_path, marked_block("another process").replace("8000", str(port))
    )


def test_the_readmes_suite_passes_with_an_app_of_its_readers(tmp_path: Path) -> None:
    (tmp_path / "your_project.py").write_text(marked_block("verify") + AN_APP)
    assert "1 passed" in suite_of(tmp_path, marked_block("suite"))


#: What the README's reader has already: an app that verifies.
AN_APP = """

from flask import Flask, request

app = Flask(__name__)


@app.post("/hooks/leanbe")
def hook():
    return "", receive(request.get_data())
"""


def suite_of(folder: Path, test: str) -> str:
    """Run pytest with one file of tests, and return what it prints."""
    (folder / "test_receiver.py").write_text(test)
    command = [sys.executable, "-m", "pytest", *WITHOUT_OTHER_PLUGINS, "-q"]
    return subprocess.run(
        command,
        cwd=folder,
        env=environment_without_pytest(),
        capture_output=True,
        text=True,
        check=False,
    ).stdout


def test_the_files_that_are_shown_are_those_of_the_example() -> None:
    assert len(FILES) == 3
    for path, shown in FILES.items():
        assert shown == (ROOT / path).read_text(), f"docs/ shows another {path}"


def test_the_verifying_example_tells_right_from_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, object] = {}
    exec(compile(marked_block("verify"), "verify", "exec"), names)  # noqa: S102 - our own
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


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!http)([^)]+)\)", page.read_text()):
        path, _, anchor = target.partition("#")
        led_to = page.parent / path if path else page
        assert led_to.exists(), target
        assert not anchor or anchor in anchors_of(led_to), target


def anchors_of(page: Path) -> list[str]:
    """Return what the headings of a page are linked by."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return [re.sub(r"[^\w -]", "", each).lower().replace(" ", "-") for each in headings]


def test_the_readme_leads_to_every_page() -> None:
    for name in DOCS:
        assert f"](docs/{name})" in README, name


@pytest.mark.parametrize("page", LONGEST)
def test_a_page_that_everybody_reads_is_short(page: str) -> None:
    assert len((ROOT / page).read_text().splitlines()) <= LONGEST[page]


def test_the_glossary_has_a_line_for_each_word() -> None:
    architecture = (ROOT / "ARCHITECTURE.md").read_text()
    lines = architecture.partition("\n## Glossary\n")[2].partition("\n## ")[0].strip().splitlines()
    words = [line.split("**")[1] for line in lines]
    assert 0 < len(lines) <= LONGEST_GLOSSARY
    assert words == sorted(words, key=str.lower)


def test_the_page_on_the_command_line_names_every_setting_with_its_default() -> None:
    row = r"^\| `(LEANBE_EMITTER_\w+)` \| (.+?) \|"
    rows = dict(re.findall(row, DOCS["command-line.md"], re.MULTILINE))
    assert rows == {variable(each.name): _default(each) for each in fields(Settings)}


def _default(setting: Field[object]) -> str:
    value = getattr(Settings(), setting.name)
    shown = f"{value:g}" if isinstance(value, float) else str(value)
    return f"`{shown}`" if value else "none"


def test_the_page_on_assumptions_names_each_with_its_default() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `(.+?)` \|", DOCS["assumptions.md"], re.MULTILINE)
    assert sorted(rows) == sorted((each.name, each.default) for each in ASSUMPTIONS if each.name)


def test_the_page_on_assumptions_names_every_choice() -> None:
    rows = {
        line.split("`")[1]: line for line in DOCS["assumptions.md"].splitlines() if "| `" in line
    }
    for each in (each for each in ASSUMPTIONS if each.kind is Kind.CHOICE):
        for value in each.values:
            assert f"`{value}`" in rows[each.name], f"{each.name}: {value}"


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
