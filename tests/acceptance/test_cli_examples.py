"""Every example that a help text shows is run, as it stands, where it could be typed."""

import json
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

from leanbe_emitter import Leanbe, Product
from leanbe_emitter.cli.app import program
from leanbe_emitter.cli.invocation.commands import Command, Group
from tests.support.command_line import run, run_process, start_program, wait_for_end
from tests.support.command_tree import all_commands
from tests.support.receiver_process import SECRET, run_receiver
from tests.support.warm_process import path_of_shells

ENVELOPE = json.loads((Path(__file__).parents[1] / "data" / "examples.json").read_text("utf-8"))[
    "envelopes"
][0]

#: Commands that go on until somebody ends them.
ENDLESS = ("serve", "receiver", "tail")
#: Commands whose example is more than one command's words.
SHELL = ("completion", "ready", "exec")


def example_of(command: click.Command) -> str:
    assert isinstance(command, Command | Group)
    return command.example


EXAMPLES = {"": example_of(program)} | {
    path: example_of(command) for path, command in all_commands()
}


@dataclass(frozen=True, kw_only=True)
class Bench:
    """A folder in which examples can be typed, and what their made-up names stand for.

    Attributes:
        folder: where the database is.
        address: the receiver's host and port.
        ids: made-up endings of ids, and the ids that they stand for.
    """

    folder: Path
    address: str
    ids: Mapping[str, str]

    def typed(self, example: str) -> str:
        """Return the example with the real address, port and ids in it."""
        typed = example.replace("127.0.0.1:8000", self.address).replace("--port 8000", "--port 0")
        for made_up, identifier in self.ids.items():
            typed = typed.replace(made_up, identifier)
        return typed


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("examples")
    body = json.dumps(ENVELOPE, ensure_ascii=False)
    (folder / "body.json").write_text(body, "utf-8")
    (folder / "payload.json").write_text(json.dumps(ENVELOPE["payload"]), "utf-8")
    (folder / "altered.json").write_text(body.replace("Clarke", "Clark"), "utf-8")
    with run_receiver(folder) as receiver:
        url = f"{receiver.url}hooks/leanbe"
        with Leanbe(f"sqlite:///{folder / 'leanbe-emitter.db'}") as leanbe:
            acme = leanbe.products.create("Acme", webhook_url=url, secret=SECRET)
            made = leanbe.trigger("idea.created")
            # No example raises this event alone.
            fault = leanbe.faults.delivered_twice(event="okr.deleted", must_fire=False)
            of_events = {"a2e421": made.id, "a2e42a": made.event.id}
            ids = {**lived_in(acme), **of_events, "a2e4f0": fault.id}
            leanbe.deliver()
        address = receiver.url.removeprefix("http://").rstrip("/")
        yield Bench(folder=folder, address=address, ids=ids)


def lived_in(acme: Product) -> dict[str, str]:
    """Fill a product with what the examples speak of; return the ids by their made-up endings."""
    acme.users.create(email="bo@example.com", first_name="Bo")
    acme.customers.create(email="ana@example.com")
    bea = acme.customers.create(email="bea@example.com")
    idea = acme.ideas.create(title="Dark mode")
    acme.ideas.upvote(idea, customer=bea)
    return {
        "a2e502": acme.idea_requests.create(title="Dark mode, please").id,
        "a2e504": idea.id,
        "a2e505": acme.backlog_items.create(title="Dark mode").id,
        "a2e506": acme.okrs.create(
            title="Activate", key_results=[{"title": "Activation", "targetValue": 60}]
        ).id,
        "a2e509": acme.announcements.create(title="Dark mode is here").id,
    }


@pytest.fixture
def bench(template: Bench, tmp_path: Path) -> Bench:
    folder = tmp_path / "typed"
    shutil.copytree(template.folder, folder)
    return Bench(folder=folder, address=template.address, ids=template.ids)


@pytest.mark.parametrize("path", [path for path in EXAMPLES if path not in (*ENDLESS, *SHELL)])
def test_the_example_runs(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], path: str
) -> None:
    if path == "user grant":
        with Leanbe(f"sqlite:///{bench.folder / 'leanbe-emitter.db'}") as leanbe:
            leanbe.products.create("Initech")
    if path.startswith("clock "):
        Leanbe(f"sqlite:///{bench.folder / 'leanbe-emitter.db'}", clock="manual").close()
    monkeypatch.chdir(bench.folder)
    name, *words = shlex.split(bench.typed(EXAMPLES[path]))
    ran = run(capsys, *words)
    assert (name, ran.status, "error" in ran.stderr) == ("leanbe-emitter", 0, False), ran.stderr


@pytest.mark.parametrize("path", SHELL)
def test_the_example_runs_in_a_shell(bench: Bench, path: str) -> None:
    ran = run_process(
        "-c",
        bench.typed(EXAMPLES[path]),
        cwd=bench.folder,
        program=("bash",),
        environ={"PATH": path_of_shells()},
    )
    assert (ran.status, ran.stderr) == (0, "")


@pytest.mark.parametrize("path", ENDLESS)
def test_the_example_runs_until_it_is_stopped(bench: Bench, path: str) -> None:
    words = shlex.split(bench.typed(EXAMPLES[path]))
    program = (str(Path(sys.executable).with_name(words[0])),)
    with start_program(
        *words[1:], cwd=bench.folder, program=program, stderr=subprocess.STDOUT
    ) as process:
        assert process.stdout is not None
        assert any(line.startswith(("http://", "Following")) for line in process.stdout)
        status, said, _ = wait_for_end(process, signal.SIGINT)
    assert (status, "error" in said) == (0, False)
