"""An attempt is one line out and one back, as the interfaces fix them."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from rich.cells import cell_len

from leanbe_emitter.cli.invocation.attempt_printer import AttemptPrinter
from leanbe_emitter.cli.invocation.output import OutputFormat
from leanbe_emitter.cli.invocation.terminal import Terminal
from leanbe_emitter.delivery.watching import Attempt
from leanbe_emitter.storage.schema.states import DeliveryStatus, Outcome

# Lines show the time of whoever looks, so the test's instant is made in their zone.
STARTED = datetime(2026, 11, 24, 14, 2, 15).astimezone()
REFUSED = Attempt(
    delivery_id="649d2b399c3a1954e6a2e4b7",
    event="idea.upVoted",
    product_id="5f",
    number=1,
    started_at=STARTED,
    method="POST",
    url="http://127.0.0.1:8000/hooks/leanbe",
    request_body=b"x" * 911,
    request_headers=(),
    outcome=Outcome.REFUSED,
    duration_ms=3.2,
    answer_status=401,
    answer_headers=(),
    answer_body=b'{"detail":"bad signature"}',
    answer_length=26,
    error=None,
    fault=None,
    assumptions={},
    status=DeliveryStatus.PENDING,
    next_due_at=STARTED + timedelta(seconds=5),
)
ACCEPTED = replace(
    REFUSED,
    outcome=Outcome.DELIVERED,
    answer_status=204,
    answer_body=b"",
    status=DeliveryStatus.DELIVERED,
    next_due_at=None,
)
OTHER = replace(
    ACCEPTED,
    delivery_id="649d2b399c3a1954e6a2e421",
    event="ideaRequest.attachedToIdea",
    number=2,
    method="PUT",
    url="http://[::1]/",
    request_body=b"12345",
)


def lines(
    output_format: OutputFormat,
    notices: list[str],
    *,
    mistake: str = "",
    terminal: Terminal | None = None,
) -> AttemptPrinter:
    return AttemptPrinter(
        output_format,
        notice=notices.append,
        retried_by=" by any worker, or --follow",
        mistake_of=lambda _attempt: mistake,
        terminal=terminal,
    )


def test_a_refused_attempt_is_three_lines_for_a_person(capsys: pytest.CaptureFixture[str]) -> None:
    printer = lines(OutputFormat.TABLE, [])
    printer.started(REFUSED)
    printer.ended(REFUSED)
    out, back, remark = capsys.readouterr().out.splitlines()
    where = "POST http://127.0.0.1:8000/hooks/leanbe"
    assert out == f"14:02:15 -> idea.upVoted   …a2e4b7  attempt 1  {where}  911 B"
    assert back == '14:02:15 <- 401 Unauthorized          3 ms   {"detail":"bad signature"}'
    assert remark == (
        "            refused; next attempt 14:02:20 by any worker, or --follow. "
        "Leanbe signs JSON.stringify(payload), not the raw body: leanbe-emitter explain --help"
    )
    assert (printer.made, printer.accepted) == (1, 0)


def test_no_line_is_wider_than_the_terminal_and_no_command_is_broken(
    capsys: pytest.CaptureFixture[str],
) -> None:
    printer = lines(OutputFormat.TABLE, [], terminal=Terminal(width=80))
    printer.ended(REFUSED)
    printer.ended(replace(OTHER, outcome=Outcome.REFUSED, answer_body="漢字".encode() * 99))
    printer.ended(replace(REFUSED, status=DeliveryStatus.EXHAUSTED, next_due_at=None))
    shown = capsys.readouterr().out.splitlines()
    assert max(map(cell_len, shown)) <= 80
    assert shown[0].endswith("attempt 1  POST 127.0.0.1:8000/hooks…  911 B")
    for command in ("leanbe-emitter explain --help", "leanbe-emitter deliveries redeliver a2e4b7"):
        assert any(command in line for line in shown)


@pytest.mark.parametrize("advice", ["Leanbe signs", "It hashes the raw body."])
def test_advice_that_holds_for_all_attempts_is_printed_once(
    capsys: pytest.CaptureFixture[str], advice: str
) -> None:
    mistake = advice if advice.endswith(".") else ""
    printer = lines(OutputFormat.TABLE, [], mistake=mistake)
    for number in (1, 2, 3):
        printer.ended(replace(REFUSED, number=number, assumptions={"max_attempts": "9"}))
    shown = capsys.readouterr().out
    assert shown.count("refused; next attempt 14:02:20") == 3
    for each in (" by any worker, or --follow", advice, "assuming max_attempts=9"):
        assert shown.count(each) == 1


def test_a_terminal_shows_the_outcome_as_a_word_in_a_colour(
    capsys: pytest.CaptureFixture[str],
) -> None:
    printer = lines(OutputFormat.TABLE, [], terminal=Terminal(width=80, has_colour=True))
    printer.ended(ACCEPTED)
    printer.ended(REFUSED)
    printer.print_summary()
    shown = capsys.readouterr().out
    for text in ("\x1b[32m204 No Content", "\x1b[31m401 Unauthorized", "\x1b[31mrefused\x1b[0m;"):
        assert text in shown
    assert shown.endswith("2 attempts: \x1b[32m1 delivered\x1b[0m, \x1b[31m1 refused\x1b[0m.\n")


@pytest.mark.parametrize(
    ("assumptions", "advice"),
    [
        (
            {"signature_location": "header"},
            "The request was made under signature_location=header: the signature is in the header",
        ),
        (
            {"max_attempts": "1"},
            "Leanbe signs JSON.stringify(payload), not the raw body: leanbe-emitter explain",
        ),
    ],
)
def test_a_refusal_under_an_assumption_is_advised_by_that_assumption(
    capsys: pytest.CaptureFixture[str], assumptions: dict[str, str], advice: str
) -> None:
    lines(OutputFormat.TABLE, []).ended(replace(REFUSED, assumptions=assumptions))
    assert f"--follow. {advice}" in capsys.readouterr().out.splitlines()[2]


@pytest.mark.parametrize(
    ("mistake", "advice"),
    [
        ("", "Its answer has a signature. For the mistake: leanbe-emitter deliveries explain "),
        ("You hash the raw body.", "You hash the raw body. The repair: leanbe-emitter deliveries"),
    ],
)
def test_a_refusal_with_a_signature_in_its_answer_says_where_its_mistake_is_told(
    capsys: pytest.CaptureFixture[str], mistake: str, advice: str
) -> None:
    answer = b'{"computed":"' + b"5e" * 32 + b'"}'
    printer = lines(OutputFormat.TABLE, [], mistake=mistake)
    printer.ended(replace(REFUSED, answer_body=answer))
    assert f"--follow. {advice}" in capsys.readouterr().out.splitlines()[2]


def test_an_attempt_that_another_has_followed_is_not_called_the_last(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines(OutputFormat.TABLE, []).ended(replace(REFUSED, answer_status=503, next_due_at=None))
    assert capsys.readouterr().out.splitlines()[-1].strip() == "refused; another attempt follows."


def test_an_accepted_attempt_is_two_lines(capsys: pytest.CaptureFixture[str]) -> None:
    printer = lines(OutputFormat.TABLE, [])
    printer.started(REFUSED)
    printer.ended(ACCEPTED)
    assert capsys.readouterr().out.splitlines()[1:] == [
        "14:02:15 <- 204 No Content            3 ms"
    ]
    assert (printer.made, printer.accepted) == (1, 1)


def test_a_fault_on_purpose_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    printer = lines(OutputFormat.TABLE, [])
    printer.started(REFUSED)
    printer.ended(replace(ACCEPTED, fault="wrong_secret"))
    remark = capsys.readouterr().out.splitlines()[-1]
    assert remark == "            on purpose, by the fault wrong_secret"
    printer.ended(replace(ACCEPTED, fault="wrong_secret"))
    assert "on purpose" not in capsys.readouterr().out
    printer.ended(ACCEPTED)
    printer.ended(replace(ACCEPTED, fault="wrong_secret"))
    assert capsys.readouterr().out.splitlines()[-1] == remark


def test_the_two_lines_of_an_attempt_stand_together(capsys: pytest.CaptureFixture[str]) -> None:
    printer = lines(OutputFormat.TABLE, [])
    printer.started(REFUSED)
    printer.started(OTHER)
    printer.ended(OTHER)
    printer.ended(ACCEPTED)
    out = capsys.readouterr().out.splitlines()
    assert ["upVoted" in line for line in out] == [True, False, False, True, False]
    assert ["attachedToIdea" in line for line in out] == [False, True, False, False, False]


def test_plain_has_the_same_cells_between_tabs_and_remarks_on_stderr(
    capsys: pytest.CaptureFixture[str],
) -> None:
    notices: list[str] = []
    printer = lines(OutputFormat.PLAIN, notices)
    printer.started(REFUSED)
    printer.ended(REFUSED)
    out, back = capsys.readouterr().out.splitlines()
    assert out.split("\t") == [
        "14:02:15",
        "->",
        "idea.upVoted",
        "649d2b399c3a1954e6a2e4b7",
        "attempt 1",
        "POST",
        "http://127.0.0.1:8000/hooks/leanbe",
        "911 B",
    ]
    assert back.split("\t") == [
        "14:02:15",
        "<-",
        "401 Unauthorized",
        "3 ms",
        '{"detail":"bad signature"}',
    ]
    assert notices[0].startswith("refused; next attempt 14:02:20 by any worker")


def test_json_is_one_list_and_jsonl_a_document_an_attempt(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for output_format in (OutputFormat.JSON, OutputFormat.JSONL):
        printer = lines(output_format, [])
        printer.started(REFUSED)
        printer.ended(replace(REFUSED, assumptions={"pretty_body": "true"}))
        printer.close()
    whole = capsys.readouterr().out
    listed, streamed = whole[: whole.index("]\n") + 1], whole[whole.index("]\n") + 2 :]
    assert json.loads(listed) == [json.loads(streamed)]
    assert json.loads(streamed) == {
        "delivery": "649d2b399c3a1954e6a2e4b7",
        "event": "idea.upVoted",
        "number": 1,
        "outcome": "refused",
        "startedAt": STARTED.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "durationMs": 3.2,
        "method": "POST",
        "url": "http://127.0.0.1:8000/hooks/leanbe",
        "bodyBytes": 911,
        "answerStatus": 401,
        "answerBody": '{"detail":"bad signature"}',
        "error": None,
        "status": "pending",
        "nextDueAt": (STARTED + timedelta(seconds=5))
        .astimezone(UTC)
        .strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "assumptions": {"pretty_body": "true"},
        "fault": None,
    }


def test_an_attempt_without_an_answer_says_its_error_and_an_exhausted_one_how_to_go_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    printer = lines(OutputFormat.TABLE, [])
    printer.ended(
        replace(
            REFUSED,
            outcome=Outcome.UNREACHABLE,
            answer_status=None,
            answer_body=None,
            error="Connection refused\x1b[2J",
            status=DeliveryStatus.EXHAUSTED,
            next_due_at=None,
        )
    )
    _, back, remark = capsys.readouterr().out.splitlines()
    assert back == "14:02:15 <- unreachable               3 ms   Connection refused\\x1b[2J"
    assert remark.strip() == (
        "unreachable; no attempt is left (exhausted). "
        "Again: leanbe-emitter deliveries redeliver a2e4b7."
    )
