"""The command ``demo``: the main job for real, with nothing set up and nothing left behind."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from leanbe_emitter.cli.demo import article_formula
from leanbe_emitter.cli.demo.demonstration import Hook, Made, Report, demonstrate
from leanbe_emitter.cli.demo.receiver_process import ReceiverProcess
from leanbe_emitter.cli.invocation import output
from leanbe_emitter.cli.invocation.commands import command
from leanbe_emitter.cli.invocation.exits import Failed
from leanbe_emitter.cli.invocation.invocation import Invocation
from leanbe_emitter.cli.invocation.output import Document, OutputFormat
from leanbe_emitter.cli.invocation.param_types import SECRET
from leanbe_emitter.cli.invocation.temporary_folder import temporary_folder
from leanbe_emitter.processes import ServerProcess, server_started

if TYPE_CHECKING:
    from leanbe_emitter.cli.demo.story_report import Step, StoryReport

#: The secret of the demo's own receiver; both of them are gone when it ends.
_SECRET = "whsec_demo"  # noqa: S105 - it protects nothing

_COLUMNS = [
    output.column(key) for key in ("event", "attempt", "answer", "verified", "latencyMs", "next")
]
_LINE = "{:<27} {:>7}  {:<24} {:<13} {:>9}  {}"
_TITLES = _LINE.format("event", "attempt", "answer", "the receiver", "latency", "").rstrip()

_STORY_COLUMNS = [output.column(key) for key in ("step", "action", "event", "answers", "verdict")]
_STORY_LINE = "{:>2}  {:<49}{:<28}{:<9} {}"
_STORY_TITLES = _STORY_LINE.format("", "action", "events", "answers", "the receiver")


@command("demo", example="leanbe-emitter demo --story")
@click.option("--to", metavar="URL", help="Send to a receiver of yours instead of ours.")
@click.option("--secret", type=SECRET, help="What it verifies with: text, env:NAME or @FILE.")
@click.option("--story", is_flag=True, help="Tell the whole life of a product, action by action.")
@click.pass_obj
def demo(invocation: Invocation, *, to: str | None, secret: str | None, story: bool) -> None:
    """Have a server send all 22 events to a receiver, see each verified, one retried.

    With --story they follow from what some people do: they ask, vote, promote, publish, delete.
    It ends with the first event that nobody answers, or with the very first if that is refused.
    Server, database and receiver are made for it, and go with it.
    """
    if (to is None) != (secret is None):
        raise click.UsageError("--to and --secret go together: your receiver and its secret.")
    with temporary_folder() as folder:
        report = _run(invocation, folder, to=to, secret=secret or _SECRET, is_story=story)
    if invocation.output_format is OutputFormat.JSON:
        output.print_document(invocation.output_format, report.document(), columns=[])
    else:
        _say(invocation.output_format, report.summary)
    if not report.is_success:
        raise Failed(report.summary, hint=report.reason)
    if invocation.output_format is not OutputFormat.TABLE:
        invocation.notice(report.summary)


def _run(
    invocation: Invocation, folder: Path, *, to: str | None, secret: str, is_story: bool
) -> "Report | StoryReport":
    with _receiver(to, secret=secret, save=folder / "bodies") as receiver:
        if is_story:
            hook = _hook(receiver, to, secret)
            report: Report | StoryReport = _tell(invocation, hook, database=folder / "demo.db")
        else:
            # It starts while the receiver does.
            with server_started() as server:
                report = _demonstrate(invocation.output_format, server, _hook(receiver, to, secret))
    if receiver is not None:
        report.node = article_formula.judge(sorted((folder / "bodies").glob("*.json")), secret)
        _say(invocation.output_format, f"\n{report.node.remark}")
    return report


def _hook(receiver: ReceiverProcess | None, to: str | None, secret: str) -> Hook:
    if receiver is None:
        return Hook(url=str(to), secret=secret, verdicts=None)
    return Hook(url=receiver.url, secret=secret, verdicts=receiver.verdicts())


def _demonstrate(output_format: OutputFormat, server: ServerProcess, hook: Hook) -> Report:
    _say(output_format, f"Leanbe's 22 events, signed and posted to {hook.url}\n\n{_TITLES}")
    return demonstrate(server, hook, show=lambda made: _show(output_format, made))


def _tell(invocation: Invocation, hook: Hook, *, database: Path) -> "StoryReport":
    from leanbe_emitter.cli.demo.story_report import Stage, tell  # noqa: PLC0415 - loads SQLAlchemy

    output_format = invocation.output_format
    _say(output_format, f"The life of a product, told to {hook.url}\n\n{_STORY_TITLES}")
    stage = Stage(hook=hook, database=database, settings=invocation.settings())
    return tell(stage, show=lambda step: _show_step(output_format, step))


@contextmanager
def _receiver(to: str | None, *, secret: str, save: Path) -> Iterator[ReceiverProcess | None]:
    if to is not None:
        yield None
        return
    with ReceiverProcess.started(secret=secret, fail_first=1, save=save) as process:
        yield process


def _say(output_format: OutputFormat, words: str) -> None:
    """Print what is there for people: the other forms carry data only."""
    if output_format is OutputFormat.TABLE:
        output.print_text(words)


def _show(output_format: OutputFormat, made: Made) -> None:
    if output_format is OutputFormat.TABLE:
        cells = (made.event, made.number, made.answer, made.verdict, f"{made.latency_ms:.1f} ms")
        output.print_text(output.printable(_LINE.format(*cells, made.next).rstrip()))
    elif output_format is not OutputFormat.JSON:
        output.print_row(output_format, made.document(), columns=_COLUMNS)


def _show_step(output_format: OutputFormat, step: "Step") -> None:
    if output_format is OutputFormat.JSONL:
        output.print_row(output_format, step.document(), columns=[])
    elif output_format is OutputFormat.PLAIN:
        output.print_rows(output_format, _lines(step), columns=_STORY_COLUMNS)
    elif output_format is OutputFormat.TABLE:
        head: tuple[object, ...] = (step.number, step.words)
        for line in _lines(step):
            cells = (*head, line["event"], line["answers"], line["verdict"])
            output.print_text(output.printable(_STORY_LINE.format(*cells).rstrip()))
            head = ("", "")


def _lines(step: "Step") -> list[Document]:
    """Return a line for each event of a step, or one that says that there is none."""
    told = [(each.event, each.answers, each.verdict) for each in step.events]
    return [
        {
            "step": step.number,
            "action": step.words,
            "event": event,
            "answers": answers,
            "verdict": verdict,
        }
        for event, answers, verdict in told or [("(no event)", "", "")]
    ]
