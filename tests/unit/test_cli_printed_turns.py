"""The printed lines of a turn: in one write, in order, and none where nobody reads them."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from datetime import UTC, datetime
from io import UnsupportedOperation
from typing import IO, cast

import pytest

from leanbe_emitter.cli.invocation import output
from leanbe_emitter.cli.invocation.attempt_printer import AttemptPrinter, printing_turns
from leanbe_emitter.cli.invocation.invocation import Invocation
from leanbe_emitter.cli.invocation.output import OutputFormat
from leanbe_emitter.delivery.watching import Attempt, Watcher
from leanbe_emitter.storage.schema.states import DeliveryStatus, Outcome


def attempt(delivery_id: str, status: int) -> Attempt:
    is_accepted = status < 300
    return Attempt(
        delivery_id=delivery_id,
        event="idea.created",
        product_id="p",
        number=1,
        started_at=datetime(2026, 1, 1, tzinfo=UTC),
        method="POST",
        url="http://127.0.0.1:1/",
        request_body=b"{}",
        request_headers=(),
        outcome=Outcome.DELIVERED if is_accepted else Outcome.REFUSED,
        duration_ms=1,
        answer_status=status,
        answer_headers=(),
        answer_body=b"",
        answer_length=0,
        error=None,
        fault=None,
        assumptions={},
        status=DeliveryStatus.DELIVERED if is_accepted else DeliveryStatus.EXHAUSTED,
        next_due_at=None,
    )


def tell(watcher: Watcher, *delivery_ids: str, status: int = 204) -> None:
    """Tell of attempts that begin together and end together."""
    attempts = [attempt(each, status) for each in delivery_ids]
    for each in attempts:
        watcher.started(each)
    for each in attempts:
        watcher.ended(each)


class Writes:
    """A stream that keeps what each write wrote; both of a program's can be one."""

    def __init__(self) -> None:
        self.writes: list[str] = []

    def write(self, text: str) -> int:
        self.writes.append(text)
        return len(text)

    def flush(self) -> None:
        """Nothing is held back."""

    def fileno(self) -> int:
        raise UnsupportedOperation

    def isatty(self) -> bool:
        return False


@contextmanager
def turns(output_format: OutputFormat = OutputFormat.PLAIN) -> Iterator[AttemptPrinter]:
    with printing_turns(Invocation(output=output_format)) as watcher:
        assert watcher is not None
        yield watcher


@contextmanager
def recorded_writes() -> Iterator[list[str]]:
    """Yield what is written to either stream in the block, write by write."""
    stream = Writes()
    with redirect_stdout(cast("IO[str]", stream)), redirect_stderr(cast("IO[str]", stream)):
        yield stream.writes


@pytest.mark.parametrize(
    "output_format", [OutputFormat.TABLE, OutputFormat.PLAIN, OutputFormat.JSONL]
)
def test_the_lines_of_a_turn_are_written_at_once(output_format: OutputFormat) -> None:
    with recorded_writes() as writes, turns(output_format) as watcher:
        tell(watcher, "a", "b", "c")
        assert writes == []
        watcher.turn_ended()
        assert len(writes) == 1
        assert len(writes[0].splitlines()) == (3 if output_format is OutputFormat.JSONL else 6)
        watcher.turn_ended()
    assert len(writes) == 1


def test_a_document_is_a_line_of_its_own() -> None:
    with recorded_writes() as writes, turns(OutputFormat.JSONL) as watcher:
        tell(watcher, "a", "b")
        watcher.turn_ended()
    assert [json.loads(each)["delivery"] for each in writes[0].splitlines()] == ["a", "b"]


def test_a_remark_stands_behind_the_lines_that_it_is_about() -> None:
    with recorded_writes() as writes, turns() as watcher:
        tell(watcher, "a", status=500)
        tell(watcher, "b")
        watcher.turn_ended()
    lines = "".join(writes).splitlines()
    assert [line[:7] for line in lines][2] == "refused"
    assert len(lines) == 5


def test_a_turn_that_is_broken_off_is_printed_all_the_same() -> None:
    with recorded_writes() as writes, suppress(ZeroDivisionError), turns() as watcher:
        tell(watcher, "a")
        raise ZeroDivisionError
    assert len("".join(writes).splitlines()) == 2


def test_no_lines_are_made_for_discarded_output(monkeypatch: pytest.MonkeyPatch) -> None:
    with open(os.devnull, "w", encoding="utf-8") as null:  # noqa: PTH123 - it is no file
        monkeypatch.setattr(sys, "stdout", null)
        with printing_turns(Invocation(quiet=True)) as watcher:
            assert watcher is None
        monkeypatch.setattr(sys, "stderr", null)
        with printing_turns(Invocation()) as watcher:
            assert watcher is None


def test_remarks_are_made_if_stderr_is_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: os.PathLike[str]
) -> None:
    with (
        open(os.devnull, "w", encoding="utf-8") as null,  # noqa: PTH123 - it is no file
        open(f"{tmp_path}/log", "w", encoding="utf-8") as log,  # noqa: PTH123 - as before
    ):
        assert output.are_discarded(null)
        assert not output.are_discarded(null, log)
        monkeypatch.setattr(sys, "stdout", null)
        monkeypatch.setattr(sys, "stderr", log)
        with turns() as watcher:
            tell(watcher, "a", status=500)
    with open(f"{tmp_path}/log", encoding="utf-8") as log:  # noqa: PTH123 - as before
        assert log.read().startswith("refused")
