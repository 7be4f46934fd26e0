"""The log on stderr: no value can end its line, or send the terminal a command."""

import json
import logging

import pytest

from leanbe_emitter.cli.invocation.log_setup import configure_log
from leanbe_emitter.settings import LogLevel

FORGED = "/x\nerror: forged\r\x1b[2J\u2028\u202e\x9b\ud800end"


def _fail() -> None:
    raise ValueError(FORGED)


def test_a_value_forges_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure_log(LogLevel.INFO, as_json=False)
    logging.getLogger("leanbe_emitter.x").info("A request was answered.", extra={"path": FORGED})
    (line,) = capsys.readouterr().err.splitlines()
    assert line == (
        r"info: A request was answered. path=/x\nerror: forged\r\x1b[2J\u2028\u202e\x9b\ud800end"
    )


def test_the_lines_of_a_traceback_begin_as_no_other_line_does(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_log(LogLevel.INFO, as_json=False)
    with pytest.raises(ValueError, match="end") as caught:
        _fail()
    logging.getLogger("leanbe_emitter.x").error("It failed.", exc_info=caught.value)
    first, *trace = capsys.readouterr().err.split("\n")[:-1]
    assert first == "error: It failed."
    assert trace[0] == "  Traceback (most recent call last):"
    assert all(each.startswith("  ") and each.isprintable() for each in trace)


def test_a_value_forges_no_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    configure_log(LogLevel.INFO, as_json=True)
    logging.getLogger("leanbe_emitter.x").info("A request was answered.", extra={"path": FORGED})
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["path"] == FORGED
    assert line.isascii()
