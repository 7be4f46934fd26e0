"""New files hold secrets and payloads: others on the machine cannot read them."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from leanbe_emitter import Leanbe
from tests.support.receiver_process import run_receiver


@pytest.fixture(autouse=True)
def _usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_new_database_and_the_files_beside_it_are_their_users_only(tmp_path: Path) -> None:
    file = tmp_path / "new.db"
    with Leanbe(f"sqlite:///{file}") as leanbe:
        leanbe.products.create("Acme", webhook_url="http://127.0.0.1:1/", secret="whsec_test")
        beside = {each.name: mode(each) for each in tmp_path.iterdir()}
    assert beside == {"new.db": 0o600, "new.db-wal": 0o600, "new.db-shm": 0o600}


@pytest.mark.parametrize("query", ["", "?mode=rwc&uri=true", "?uri=true"])
def test_a_database_behind_a_link_or_a_file_url_is_its_users_only(
    query: str, tmp_path: Path
) -> None:
    link = tmp_path / "link.db"
    link.symlink_to(tmp_path / "new file.db")
    scheme = "file:" if query else ""
    with Leanbe(f"sqlite:///{scheme}{link}{query}"):
        assert mode(tmp_path / "new file.db") == 0o600


def test_a_database_that_exists_keeps_its_mode(tmp_path: Path) -> None:
    file = tmp_path / "there.db"
    file.touch(mode=0o644)
    with Leanbe(f"sqlite:///{file}"):
        assert (mode(file), mode(tmp_path / "there.db-wal")) == (0o644, 0o644)


def test_a_new_folder_of_saved_requests_is_its_users_only(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir(mode=0o755)
    for folder, wanted in {"new/kept": 0o700, "there": 0o755}.items():
        with run_receiver(tmp_path, "--save", folder):
            assert mode(tmp_path / folder) == wanted
