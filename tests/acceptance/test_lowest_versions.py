"""The lowest version of each dependency that ``pyproject.toml`` allows is enough."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.command_line import run_process

pytestmark = pytest.mark.prove

UV = Path(sys.executable).parent / "uv"
#: What uv says if it reaches no index, and not that the versions do not fit.
UNREACHABLE = ("Failed to fetch", "error sending request", "dns error")
SUITE = """
def test_an_idea_is_delivered(leanbe):
    received = []
    product = leanbe.products.create("Acme", webhook=lambda request: received.append(request))
    product.ideas.create(title="Dark mode")
    leanbe.deliver()
    leanbe.assert_delivered("idea.created", times=1, payload={"title": "Dark mode"})
    assert len(received) == 1
"""


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment with the wheel on the lowest versions, and pytest."""
    folder = tmp_path_factory.mktemp("lowest") / "venv"
    run_uv("venv", "--python", sys.executable, str(folder))
    python = folder / "bin" / "python"
    install = ("pip", "install", "--python", str(python), "--resolution", "lowest-direct")
    run_uv(*install, str(wheel), "pytest>=9")
    return python


def run_uv(*arguments: str) -> None:
    ran = subprocess.run([UV, "--quiet", *arguments], capture_output=True, text=True, check=False)
    if any(each in ran.stderr for each in UNREACHABLE):
        pytest.skip("no package index can be reached")
    assert ran.returncode == 0, ran.stderr


def command(python: Path) -> Sequence[str]:
    return (str(python), "-m", "leanbe_emitter")


def test_all_events_pass_through_the_server_and_are_verified(python: Path, tmp_path: Path) -> None:
    ran = run_process("demo", cwd=tmp_path, program=command(python))
    assert ran.status == 0, ran.stderr
    assert "22 of 22 verified by the receiver" in ran.stderr


def test_all_actions_of_the_story_are_delivered(python: Path, tmp_path: Path) -> None:
    ran = run_process("demo", "--story", cwd=tmp_path, program=command(python))
    assert ran.status == 0, ran.stderr
    assert "verified by the receiver" in ran.stderr


@pytest.mark.parametrize(
    ("arguments", "stderr"),
    [
        (("product",), "error: A command is missing."),
        (("deliveries", "list", "--status", "late"), "'late' is not one of 'pending', 'delivered'"),
    ],
)
def test_usage_errors_have_the_same_words_and_status(
    python: Path, tmp_path: Path, arguments: Sequence[str], stderr: str
) -> None:
    ran = run_process(*arguments, cwd=tmp_path, program=command(python))
    assert ran.status == 2
    assert stderr in ran.stderr


def test_a_suite_of_a_user_passes(python: Path, tmp_path: Path) -> None:
    (tmp_path / "test_acme.py").write_text(SUITE)
    ran = run_process("-q", cwd=tmp_path, program=(str(python), "-m", "pytest"))
    assert ran.status == 0, ran.stdout
