"""Commands on a terminal of 80 columns, as a person sees them."""

from pathlib import Path

from tests.support.command_line import Cli, run_on_terminal
from tests.support.receiver_process import acme_with_receiver


def test_all_events_fit_a_terminal_and_end_with_a_summary(cli: Cli, tmp_path: Path) -> None:
    with acme_with_receiver(cli, tmp_path, "--fail-first", "1"):
        ran = run_on_terminal("trigger", "--all", NO_COLOR="1")
    lines = ran.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[-2:] == [
        "22 attempts: 21 delivered, 1 refused.",
        "error: 1 of 22 attempts were not accepted.",
    ]
