"""A stranger installs, copies, and gets green; a broken receiver gets red, with the reason."""

from pathlib import Path

import pytest

from tests.support.doc_pages import FILES, README
from tests.support.example_suites import FOLDER, patched
from tests.support.fresh_venv import FreshVenv

pytestmark = pytest.mark.prove


@pytest.fixture(scope="module")
def venv(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> FreshVenv:
    """An environment as `pip install leanbe-emitter flask pytest` makes it."""
    folder = tmp_path_factory.mktemp("fresh") / "venv"
    return FreshVenv(folder, wheel=wheel, packages=("flask", "pytest"))


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The files of the page on pytest, typed off."""
    for path, text in FILES.items():
        (tmp_path / Path(path).name).write_text(text)
    return tmp_path


def test_the_wheel_has_the_name_that_the_readme_installs(wheel: Path) -> None:
    assert f"pip install dist/{wheel.name}\n" in README


def test_the_pages_suite_passes_where_there_is_the_wheel_and_pytest(
    venv: FreshVenv, copied: Path
) -> None:
    ran = venv.pytest(copied)
    assert ran.returncode == 0, ran.stdout
    assert "6 passed" in ran.stdout
    assert "warning" not in ran.stdout
    (plugins,) = (line for line in ran.stdout.splitlines() if line.startswith("plugins:"))
    assert "leanbe-emitter" in plugins


def test_its_report_says_what_is_wrong_with_a_receiver_that_hashes_the_raw_body(
    venv: FreshVenv, copied: Path
) -> None:
    receiver = copied / "scores.py"
    patch = (FOLDER / "flask" / "flaws" / "raw_body_hashed.patch").read_text()
    receiver.write_text(patched(receiver.read_text(), patch))
    ran = venv.pytest(copied)
    assert ran.returncode == 1
    assert "3 failed, 3 passed" in ran.stdout
    assert "frequent ones first):\n- You hash the raw body. Hash the" in ran.stdout
