"""Output on a terminal: its width, its colours, and whole lines where there is no terminal."""

import os

import pytest

from leanbe_emitter.cli.invocation.terminal import Terminal
from tests.support.command_line import run_on_terminal


def test_a_stream_that_is_no_terminal_has_no_width_and_no_colour() -> None:
    with open(os.devnull, "w", encoding="utf-8") as stream:  # noqa: PTH123 - a stream as it is
        terminal = Terminal.of(stream)
    assert terminal == Terminal(width=None, has_colour=False)
    assert terminal.wrapped("long " * 99) == ["long " * 99]
    assert terminal.coloured("refused", by="refused") == "refused"


@pytest.mark.parametrize(
    ("environ", "has_colour"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_colours_are_for_terminals_that_want_them(
    environ: dict[str, str], *, has_colour: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in {"TERM": "xterm", "COLUMNS": "80", **environ}.items():
        monkeypatch.setenv(name, value)
    ours, its = os.openpty()
    with open(its, "w", encoding="utf-8") as stream:  # noqa: PTH123 - a descriptor
        assert Terminal.of(stream) == Terminal(width=80, has_colour=has_colour)
    os.close(ours)


def test_errors_and_notices_fit_a_terminal_and_break_no_command() -> None:
    ran = run_on_terminal("faults", "add", "receiver_fial" + "s" * 9, "--db", ":memory:")
    assert ran.status == 2
    assert max(map(len, ran.stdout.splitlines())) <= 80
    hint = "It gets one with its first URL: leanbe-emitter webhook set URL --product P."
    first, second = Terminal(width=50).wrapped(hint)
    assert first == "It gets one with its first URL:"
    assert second == "leanbe-emitter webhook set URL --product P."
