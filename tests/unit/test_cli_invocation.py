"""Commands, global options, output forms and exit statuses, as far as no database is needed."""

import errno
import json
import logging
import signal
import subprocess
import sys

import click
import pytest

from leanbe_emitter.cli import app
from leanbe_emitter.cli.invocation import exit_status, output
from leanbe_emitter.cli.invocation.listen_address import PortTaken, port_error
from leanbe_emitter.cli.invocation.output import OutputFormat
from leanbe_emitter.errors import (
    Conflict,
    DatabaseBehind,
    DatabaseUnavailable,
    EndlessDeliveries,
    InvalidSignature,
    InvalidTarget,
    LeanbeError,
    NotFound,
    WaitTimedOut,
)
from leanbe_emitter.hints import CREATE_PRODUCT
from tests.support.command_line import run
from tests.support.command_tree import all_commands

COMMANDS = dict(all_commands())
COLUMNS = [output.column("_id", short=output.abbreviated), output.column("name")]
ACME = {"_id": "64a28ec49c3a1954e6a2e502", "name": "Ac\tme"}


@pytest.mark.parametrize("path", COMMANDS)
def test_the_help_of_every_command_ends_in_an_example(
    capsys: pytest.CaptureFixture[str], path: str
) -> None:
    ran = run(capsys, *path.split(), "--help")
    assert ran.status == 0
    title, example = ran.stdout.rstrip().rsplit("\n\n", 1)[1].split("\n", 1)
    assert title == "Example:"
    assert "leanbe-emitter" in example
    assert "\\b" not in ran.stdout


def test_the_programs_help_says_of_each_command_what_its_own_help_begins_with() -> None:
    summaries = {name: text for part in app.SECTIONS.values() for name, text in part.items()}
    for name, summary in summaries.items():
        assert (COMMANDS[name].help or "").split("\n", 1)[0] == summary


@pytest.mark.parametrize("where", ["before", "after", "both"])
def test_global_options_stand_before_or_after_the_command(
    capsys: pytest.CaptureFixture[str], where: str
) -> None:
    arguments = {
        "before": ["--output", "json", "assumptions", "show", "unset"],
        "after": ["assumptions", "show", "unset", "--output", "json"],
        "both": ["--output", "plain", "assumptions", "show", "unset", "--output=JSON"],
    }[where]
    assert json.loads(run(capsys, *arguments).stdout)["name"] == "unset"


def test_a_product_is_the_argument_of_product_commands_and_an_option_of_all_others() -> None:
    forms = {
        (path.startswith("product "), each.param_type_name, each.required)
        for path, command in COMMANDS.items()
        for each in command.params
        if each.name == "product"
    }
    assert forms == {(True, "argument", True), (False, "option", False)}


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (["receive"], "receiver"),
        (["assumptions", "lst"], "list"),
        (["assumptions", "show", "triggeredat"], "triggered_at"),
        (["sign", "--secrt", "x"], "--secret"),
    ],
)
def test_a_wrong_word_is_answered_with_the_nearest(
    capsys: pytest.CaptureFixture[str], typed: list[str], meant: str
) -> None:
    ran = run(capsys, *typed)
    assert ran.status == exit_status.USAGE
    assert ran.stdout == ""
    assert meant in ran.stderr


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (LeanbeError("x"), 2),
        (NotFound("x"), 2),
        (Conflict("x"), 2),
        (InvalidTarget("x"), 2),
        (DatabaseUnavailable("x"), 3),
        (DatabaseBehind("x"), 3),
        (PortTaken("x"), 3),
        (InvalidSignature("x"), 1),
        (exit_status.Failed("x"), 1),
        (WaitTimedOut("x"), 1),
        (EndlessDeliveries("x"), 1),
        (click.UsageError("x"), 2),
        (OSError("x"), 3),
        (ZeroDivisionError("x"), 3),
        (KeyboardInterrupt(), 130),
        (click.Abort(), 130),
    ],
)
def test_each_error_has_its_status_and_a_line_that_says_why(
    capsys: pytest.CaptureFixture[str], error: BaseException, status: int
) -> None:
    def program() -> int:
        raise error

    assert exit_status.run(program) == status
    stderr = capsys.readouterr().err
    assert stderr.startswith("error: ")
    assert "Traceback" not in stderr


def test_a_ctrl_c_while_the_program_ends_ends_it_without_a_traceback() -> None:
    last_words = "import atexit, os; atexit.register(os.kill, os.getpid(), 2)"
    ran = subprocess.run(
        [sys.executable, "-c", f"{last_words}; from leanbe_emitter.__main__ import main; main()"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == -signal.SIGINT
    assert "Traceback" not in ran.stderr


def test_the_error_of_a_refused_address_has_the_systems_reason_alone() -> None:
    error = PermissionError(errno.EACCES, "denied (while attempting to bind on ('127.0.0.1', 80))")
    told = port_error(error, host="127.0.0.1", port=80)
    assert told.message == "The program cannot listen at 127.0.0.1:80: Permission denied."
    assert told.hint == "Choose another port with --port, or a free one with --port 0."


@pytest.mark.parametrize("group", [(), ("product",)])
def test_a_group_without_a_command_shows_its_help_as_it_is(
    capsys: pytest.CaptureFixture[str], group: tuple[str, ...]
) -> None:
    help_text = run(capsys, *group, "--help").stdout
    ran = run(capsys, *group)
    assert (ran.status, ran.stdout) == (2, "")
    assert ran.stderr == f"{help_text}\nerror: A command is missing.\n"


def test_an_error_says_what_and_then_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    def program() -> int:
        raise NotFound("There is no product 'Acne'.", hint="Did you mean Acme?")

    exit_status.run(program)
    assert capsys.readouterr().err == (
        "error: There is no product 'Acne'.\n       Did you mean Acme?\n"
    )


def test_a_hint_names_the_command_to_type(capsys: pytest.CaptureFixture[str]) -> None:
    def program() -> int:
        raise NotFound("There is no product yet.", hint=CREATE_PRODUCT.between("Create one: ", "."))

    exit_status.run(program)
    hint = capsys.readouterr().err.splitlines()[1]
    assert hint == "       Create one: leanbe-emitter product create NAME."


def test_plain_is_tab_separated_in_full_and_keeps_a_row_on_its_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    output.print_rows(OutputFormat.PLAIN, [ACME, ACME], columns=COLUMNS)
    assert capsys.readouterr().out == "64a28ec49c3a1954e6a2e502\tAc\\tme\n" * 2


def test_json_is_one_document_and_jsonl_one_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_rows(OutputFormat.JSON, [ACME, ACME], columns=COLUMNS)
    assert json.loads(capsys.readouterr().out) == [ACME, ACME]
    output.print_rows(OutputFormat.JSONL, [ACME, ACME], columns=COLUMNS)
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [ACME, ACME]


def test_a_table_has_a_header_and_abbreviates_ids_to_their_ending(
    capsys: pytest.CaptureFixture[str],
) -> None:
    output.print_rows(OutputFormat.TABLE, [ACME], columns=COLUMNS)
    header, _, row = (line for line in capsys.readouterr().out.splitlines() if line.strip())
    assert header.split() == ["_id", "name"]
    assert row.split() == ["…a2e502", "Ac\\tme"]


def test_an_id_stays_whole_however_narrow_the_terminal_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "24")
    wide = [*COLUMNS, output.column("name"), output.column("name")]
    output.print_rows(OutputFormat.TABLE, [{**ACME, "name": "a long name"}], columns=wide)
    assert "…a2e502" in capsys.readouterr().out


def test_control_characters_from_outside_reach_no_terminal() -> None:
    assert output.printable("a\x1b[2Jb\u202ec") == "a\\x1b[2Jb\\u202ec"
    assert output.printable("né 👩‍🚀") == "né 👩‍🚀"


def test_a_lone_surrogate_can_be_printed(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_rows(OutputFormat.JSON, [{"name": "\ud800"}], columns=COLUMNS)
    assert json.loads(capsys.readouterr().out) == [{"name": "\ud800"}]


def test_the_log_is_lines_or_json_as_asked(capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "assumptions", "list", "--verbose", "--log-json")
    logging.getLogger("leanbe_emitter.x").debug("claimed", extra={"rows": 3})
    entry = json.loads(capsys.readouterr().err)
    assert (entry["level"], entry["message"], entry["rows"]) == ("debug", "claimed", 3)
    run(capsys, "assumptions", "list", "--quiet")
    logging.getLogger("leanbe_emitter.x").warning("slow")
    logging.getLogger("leanbe_emitter.x").error("lost", extra={"rows": 3})
    assert capsys.readouterr().err == "error: lost rows=3\n"


def test_a_wrong_variable_stops_the_start(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEANBE_EMITTER_CONCURRENCY", "many")
    ran = run(capsys, "assumptions", "list")
    assert ran.status == exit_status.USAGE
    assert "LEANBE_EMITTER_CONCURRENCY: 'many'" in ran.stderr
