"""The installed package, and the files of the repository."""

import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from leanbe_emitter.snippets import snippet
from tests.support.command_line import environment

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's own files, in a folder that shadows the checkout."""
    folder = tmp_path_factory.mktemp("installed") / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def run_installed(installed: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the installed program from an empty folder."""
    empty = installed.parent / "empty"
    empty.mkdir(exist_ok=True)
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "leanbe_emitter", *arguments],
        cwd=empty,
        env=environment({"PYTHONPATH": str(installed)}),
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_wheel_holds_the_migrations_and_the_mark_of_its_types(installed: Path) -> None:
    package = installed / "leanbe_emitter"
    assert (package / "py.typed").exists()
    ours = {path.name for path in (ROOT / "migrations" / "versions").glob("*.py")}
    assert {path.name for path in (package / "migrations" / "versions").glob("*.py")} == ours
    assert (package / "migrations" / "env.py").exists()


def test_the_wheel_holds_each_snippet(installed: Path) -> None:
    folder = Path("leanbe_emitter", "snippets")
    ours = {each.name: each.read_text() for each in (ROOT / folder).iterdir() if each.is_file()}
    packed = {each.name: each.read_text() for each in (installed / folder).iterdir()}
    assert packed == ours
    printed = run_installed(installed, "snippet", "webhook")
    assert (printed.returncode, printed.stderr) == (0, "")
    assert printed.stdout == snippet("webhook")


def test_the_wheel_holds_the_plugin_and_tells_pytest_of_it(installed: Path) -> None:
    (told,) = installed.glob("*.dist-info/entry_points.txt")
    assert "[pytest11]\nleanbe = leanbe_emitter.pytest_plugin\n" in told.read_text()
    assert (installed / "leanbe_emitter" / "pytest_plugin.py").exists()
    assert (installed / "leanbe_emitter" / "testing" / "options.py").exists()


def test_the_wheel_runs_from_an_empty_folder(installed: Path) -> None:
    where = run_installed(installed, "db", "upgrade", "--verbose")
    assert where.returncode == 0, where.stderr
    created = run_installed(installed, "product", "create", "Acme", "--output", "json")
    assert created.returncode == 0, created.stderr
    assert '"Acme"' in created.stdout


def test_an_installed_program_is_the_wheels_and_not_the_checkouts(installed: Path) -> None:
    program = "import leanbe_emitter; print(leanbe_emitter.__file__)"
    finished = subprocess.run(
        [sys.executable, "-c", program],
        cwd=installed.parent,
        env=environment({"PYTHONPATH": str(installed)}),
        capture_output=True,
        text=True,
        check=True,
    )
    assert finished.stdout.startswith(str(installed))


def test_the_lock_holds_versions_and_hashes_and_no_address() -> None:
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    assert len(lines) > 100
    for line in lines:
        assert re.match(r"\S+==\S+|    --hash=sha256:[0-9a-f]{64}", line), line
        assert "://" not in line


def test_no_file_of_the_project_names_a_registry() -> None:
    registries = re.compile(
        r"pypi\.(org|io)|pythonhosted|registry\.npmjs|deb\.debian\.org", re.IGNORECASE
    )
    for path in project_files():
        if path != Path(__file__):
            assert not registries.search(path.read_text(errors="replace")), path


def project_files() -> Iterator[Path]:
    """Yield the files of the project, in a checkout or out of an archive."""
    yield from (path for path in ROOT.iterdir() if path.is_file())
    for folder in (
        ".ci",
        "leanbe_emitter",
        "migrations",
        "tests",
        "benchmarks",
        "tools",
        "examples",
    ):
        yield from (
            path
            for path in (ROOT / folder).rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        )
