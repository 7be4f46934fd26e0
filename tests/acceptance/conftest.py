"""What tests that type commands share."""

from pathlib import Path

import pytest

from tests.command_line import Cli, Ran, run


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """The program in this process, in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> Ran:
        return run(capsys, *arguments)

    return call
