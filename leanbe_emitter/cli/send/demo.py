"""The command ``demo``: all events to a receiver, without a set-up and without leftovers."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import click

from leanbe_emitter.cli.demo.article_formula import check_with_node
from leanbe_emitter.cli.demo.receiver_process import running_receiver
from leanbe_emitter.cli.demo.report import Attempt, Report, Step
from leanbe_emitter.cli.demo.run import Target, play_story, send_all_events
from leanbe_emitter.cli.invocation import output
from leanbe_emitter.cli.invocation.commands import command
from leanbe_emitter.cli.invocation.exit_status import Failed
from leanbe_emitter.cli.invocation.invocation import Invocation
from leanbe_emitter.cli.invocation.output import Document, OutputFormat
from leanbe_emitter.cli.invocation.param_types import SECRET
from leanbe_emitter.cli.invocation.temporary_folder import temporary_folder
from leanbe_emitter.cli.invocation.terminal import Terminal
from leanbe_emitter.server_process import ServerProcess, running_server
from leanbe_emitter.storage.schema.states import Outcome

#: The secret of the demo's own receiver, which ends with the demo.
_SECRET = "whsec_demo"  # noqa: S105 - it protects nothing

_COLUMNS = [
    output.column(key) for key in ("event", "attempt", "answer", "verified", "latencyMs", "next")
]
#: The lines of a table fit a terminal of 80 columns; the last but one has the receiver's verdict.
_LINE = "{:<26}{:>7}  {:<23} {:<12} {:>8}"
_ANSWER_WIDTH = 23
_TITLES = _LINE.format("event", "attempt", "answer", "the receiver", "latency")
#: What follows an attempt has a line of its own, below the answer.
_BELOW_ANSWER = " " * 35

_STORY_COLUMNS = [output.column(key) for key in ("step", "action", "event", "answers", "verdict")]
_STORY_ACTION = "{:>2}  {}"
_STORY_EVENT = "      {:<27} {:<9} {}"
_STORY_TITLES = (
    _STORY_ACTION.format("", "action")
    + "\n"
    + _STORY_EVENT.format("its events", "answers", "the receiver")
)


@command("demo", example="leanbe-emitter demo --story")
@click.option("--to", metavar="URL", help="Send to your own receiver at this URL.")
@click.option("--secret", type=SECRET, help="Its secret: text, env:NAME or @FILE.")
@click.option("--story", is_flag=True, help="Play the life of a product, action by action.")
@click.pass_obj
def demo(invocation: Invocation, *, to: str | None, secret: str | None, story: bool) -> None:
    """Send all 22 events to a receiver, which verifies each; one is retried.

    The demo starts a server with a temporary database, and a receiver that fails once on purpose.
    Both end with the demo. With --story, the events follow from actions: people ask, vote, promote,
    publish and delete. The story stops if nobody answers, or if the receiver refuses the first
    event.
    """
    if (to is None) != (secret is None):
        raise click.UsageError("--to and --secret go together: your receiver and its secret.")
    with temporary_folder() as folder:
        report = _run(invocation, folder, to=to, secret=secret or _SECRET, is_story=story)
    if invocation.output_format is OutputFormat.JSON:
        output.print_document(invocation.output_format, report.document(), columns=[])
    else:
        _say(invocation, report.summary)
    if not report.is_success:
        raise Failed(report.summary, hint=report.reason)
    if invocation.output_format is not OutputFormat.TABLE:
        invocation.notice(report.summary)


def _run(
    invocation: Invocation, folder: Path, *, to: str | None, secret: str, is_story: bool
) -> Report:
    bodies = folder / "bodies"
    with _receiver(to, secret=secret, save=bodies) as target:
        if is_story:
            report = _play_story(invocation, target(), database=folder / "demo.db")
        else:
            # The receiver starts while the server does.
            with running_server() as server:
                report = _send_all_events(invocation, server, target())
    if to is None:
        report.node = check_with_node(sorted(bodies.glob("*.json")), secret)
        _say(invocation, f"\n{report.node.remark}")
    return report


@contextmanager
def _receiver(to: str | None, *, secret: str, save: Path) -> Iterator[Callable[[], Target]]:
    """Yield a function that returns the target: it waits until our receiver listens."""
    if to is not None:
        yield lambda: Target(url=to, secret=secret, verdicts=None)
        return
    with running_receiver(secret=secret, fail_first=1, save=save) as receiver:
        yield lambda: Target(url=receiver.url, secret=secret, verdicts=receiver.verdicts())


def _send_all_events(invocation: Invocation, server: ServerProcess, target: Target) -> Report:
    _say(invocation, f"Leanbe's 22 events, signed and posted to {target.url}\n\n{_TITLES}")
    output_format = invocation.output_format
    return send_all_events(server, target, show=partial(_show_attempt, output_format))


def _play_story(invocation: Invocation, target: Target, *, database: Path) -> Report:
    _say(invocation, f"The life of a product, sent to {target.url}\n\n{_STORY_TITLES}")
    return play_story(
        target,
        database=database,
        settings=invocation.settings(),
        show=partial(_show_step, invocation.output_format),
    )


def _say(invocation: Invocation, words: str) -> None:
    """Print words for people: the other formats carry data only."""
    if invocation.output_format is OutputFormat.TABLE:
        output.print_text(words)


def _show_attempt(output_format: OutputFormat, attempt: Attempt) -> None:
    if output_format is OutputFormat.TABLE:
        for line in _attempt_lines(attempt):
            output.print_text(_with_verdict_coloured(output.printable(line), attempt))
    elif output_format is not OutputFormat.JSON:
        output.print_row(output_format, attempt.document(), columns=_COLUMNS)


def _attempt_lines(attempt: Attempt) -> Iterator[str]:
    latency = f"{attempt.latency_ms:.1f} ms"
    answer = attempt.answer
    if len(answer) > _ANSWER_WIDTH:
        answer = f"{answer[: _ANSWER_WIDTH - 1]}…"
    yield _LINE.format(attempt.event, attempt.number, answer, attempt.verdict, latency)
    if attempt.next:
        yield _BELOW_ANSWER + attempt.next


def _with_verdict_coloured(line: str, attempt: Attempt) -> str:
    outcome = Outcome.DELIVERED if attempt.is_good else Outcome.REFUSED
    coloured = Terminal.of(sys.stdout).coloured(attempt.verdict, by=outcome)
    before, verdict, after = line.partition(f" {attempt.verdict} ")
    return f"{before} {coloured} {after}" if verdict else line


def _show_step(output_format: OutputFormat, step: Step) -> None:
    if output_format is OutputFormat.JSONL:
        output.print_row(output_format, step.document(), columns=[])
    elif output_format is OutputFormat.PLAIN:
        output.print_rows(output_format, _rows(step), columns=_STORY_COLUMNS)
    elif output_format is OutputFormat.TABLE:
        output.print_text(_STORY_ACTION.format(step.number, step.action))
        for row in _rows(step):
            cells = _STORY_EVENT.format(row["event"], row["answers"], row["verdict"])
            output.print_text(output.printable(cells.rstrip()))


def _rows(step: Step) -> list[Document]:
    """Return a row for each event of a step; a step without events has one row, too."""
    events = [(each.name, each.answers, each.verdict) for each in step.events]
    return [
        {"step": step.number, "action": step.action}
        | {"event": event, "answers": answers, "verdict": verdict}
        for event, answers, verdict in events or [("(no event)", "", "")]
    ]
