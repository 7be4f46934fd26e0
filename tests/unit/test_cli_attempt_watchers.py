"""What a worker prints of a turn: in one write, in order, and not at all where nobody reads it."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from io import UnsupportedOperation
from typing import IO, cast

import pytest

from leanbe_emitter.cli.invocation import output
from leanbe_emitter.cli.invocation.attempt_watchers import TurnPrintingWatcher, printing_turns
from leanbe_emitter.cli.invocation.invocation import Invocation
from leanbe_emitter.cli.invocation.output import OutputFormat
from leanbe_emitter.clock import SystemClock
from leanbe_emitter.delivery.queue_types import Claimed, Evidence, WebhookSettings
from leanbe_emitter.delivery.worker.watcher import NOBODY
from leanbe_emitter.storage.schema.states import DeliveryState, Outcome

URL = "http://127.0.0.1:1/"


def claimed(delivery_id: str) -> Claimed:
    return Claimed(
        delivery_id=delivery_id,
        product_id="p",
        sequence=1,
        token="t",
        number=1,
        attempts_counted=0,
        due_at=0,
        event_id="e",
        event_name="idea.created",
        triggered_at=0,
        method="POST",
        headers=(),
        body="{}",
        event_assumptions={},
        request_assumptions={},
        webhook=WebhookSettings(url=URL, secret=None, ca_file=None, insecure=False, assumptions={}),
    )


def tell(watcher: TurnPrintingWatcher, *delivery_ids: str, status: int = 204) -> None:
    """Tell of attempts that begin together and end together."""
    outcome = Outcome.DELIVERED if status < 300 else Outcome.REFUSED
    for each in delivery_ids:
        watcher.begun(claimed(each))
    for each in delivery_ids:
        one = claimed(each)
        evidence = Evidence(
            outcome=outcome, started_at=0, duration_us=1, url=URL, answer_status=status
        )
        watcher.ended(
            one, one.settlement(state=DeliveryState.DELIVERED, due_at=0, evidence=evidence)
        )


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


@contextmanager
def turns(output_format: OutputFormat = OutputFormat.PLAIN) -> Iterator[TurnPrintingWatcher]:
    with printing_turns(Invocation(output=output_format), SystemClock()) as watcher:
        assert isinstance(watcher, TurnPrintingWatcher)
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


def test_what_is_broken_off_in_a_turn_is_printed_all_the_same() -> None:
    with recorded_writes() as writes, suppress(ZeroDivisionError), turns() as watcher:
        tell(watcher, "a")
        raise ZeroDivisionError
    assert len("".join(writes).splitlines()) == 2


def test_where_nobody_reads_it_nothing_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    with open(os.devnull, "w", encoding="utf-8") as null:  # noqa: PTH123 - it is no file
        monkeypatch.setattr(sys, "stdout", null)
        with printing_turns(Invocation(quiet=True), SystemClock()) as watcher:
            assert watcher is NOBODY
        monkeypatch.setattr(sys, "stderr", null)
        with printing_turns(Invocation(), SystemClock()) as watcher:
            assert watcher is NOBODY


def test_where_remarks_are_read_they_are_made(
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
