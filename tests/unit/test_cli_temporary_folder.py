"""A temporary folder goes with its maker; what a killed one left goes when the next is made."""

import tempfile
from pathlib import Path

import pytest

from leanbe_emitter.cli.invocation.temporary_folder import temporary_folder


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let temporary folders be made in one that nobody else has."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def lock_name() -> str:
    with temporary_folder() as folder:
        (lock,) = folder.iterdir()
        return lock.name


def test_a_folder_goes_with_the_block(place: Path) -> None:
    with temporary_folder() as folder:
        (folder / "some.db").touch()
        assert folder.parent == place
    assert not folder.exists()


def test_a_folder_that_somebody_has_stays() -> None:
    with temporary_folder() as first:
        with temporary_folder() as second:
            assert first != second
        assert first.exists()


def test_a_folder_that_nobody_has_any_more_is_removed(place: Path) -> None:
    deserted = place / "leanbe-emitter-deserted"
    deserted.mkdir()
    (deserted / "leanbe-emitter.db").touch()
    (deserted / lock_name()).touch()
    with temporary_folder():
        assert not deserted.exists()


@pytest.mark.parametrize("name", ["leanbe-emitter-checkout", "other"])
def test_a_folder_that_was_not_made_so_stays(place: Path, name: str) -> None:
    (place / name).mkdir()
    (place / name / "notes.txt").touch()
    with temporary_folder():
        assert (place / name / "notes.txt").exists()


def test_the_folder_behind_a_link_stays(
    place: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / lock_name()).touch()
    (place / "leanbe-emitter-link").symlink_to(elsewhere)
    with temporary_folder():
        assert list(elsewhere.iterdir())
