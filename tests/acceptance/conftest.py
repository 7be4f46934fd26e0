"""Fixtures of tests that type commands."""

import fcntl
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.command_line import Cli, Ran, run
from tests.support.containerfile import Image
from tests.support.doc_pages import ROOT
from tests.support.ports import free_port
from tests.support.prepared import Prepared

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="session")
def wheel(folder_of_run: Path) -> Path:
    """The wheel, built as `pip install .` builds it, by whoever needs it first."""
    folder = folder_of_run / "wheel"
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    with (folder_of_run / "wheel.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The installed package, which shadows the checkout."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """A browser without a window."""
    from tests.support.browser import chromium  # noqa: PLC0415 - most modules need no browser

    with chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """The image that the Containerfile makes."""
    image = Image(tmp_path_factory.mktemp("image"))
    image.build()
    return image


@pytest.fixture
def port() -> int:
    """A free port."""
    return free_port()


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """The program in this process, in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> Ran:
        return run(capsys, *arguments)

    return call


@pytest.fixture(scope="session")
def prepared_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The databases that tests have filled, by name."""
    return tmp_path_factory.mktemp("prepared")


@pytest.fixture
def prepared(prepared_files: Path, tmp_path: Path) -> Prepared:
    """A function that fills the database of the test's folder."""
    return Prepared(folder=tmp_path, kept=prepared_files)
