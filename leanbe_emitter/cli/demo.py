"""The command ``demo``: the main job for real, with nothing set up and nothing left behind."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from leanbe_emitter.cli import article_formula, output
from leanbe_emitter.cli.commands import command
from leanbe_emitter.cli.exits import Failed
from leanbe_emitter.cli.invocation import Invocation
from leanbe_emitter.cli.output import Form
from leanbe_emitter.cli.receiver_process import ReceiverProcess
from leanbe_emitter.cli.values import SECRET

if TYPE_CHECKING:
    from leanbe_emitter.cli.demonstration import Made, Report

#: The secret of the demo's own receiver; both of them are gone when it ends.
_SECRET = "whsec_demo"  # noqa: S105 - it protects nothing

_COLUMNS = [
    output.column(key) for key in ("event", "attempt", "answer", "verified", "latencyMs", "next")
]
_LINE = "{:<27} {:>7}  {:<24} {:<13} {:>9}  {}"
_TITLES = _LINE.format("event", "attempt", "answer", "the receiver", "latency", "").rstrip()


@command("demo", example="leanbe-emitter demo")
@click.option("--to", metavar="URL", help="Send to a receiver of yours instead of ours.")
@click.option("--secret", type=SECRET, help="What it verifies with: text, env:NAME or @FILE.")
@click.pass_obj
def demo(invocation: Invocation, *, to: str | None, secret: str | None) -> None:
    """Send all 22 events to a receiver, see each verified, one retried.

    The database and the receiver are made for it, and go with it.
    """
    if (to is None) != (secret is None):
        raise click.UsageError("--to and --secret go together: your receiver and its secret.")
    with tempfile.TemporaryDirectory(prefix="leanbe-emitter-demo-") as folder:
        report = _run(invocation, Path(folder), to=to, secret=secret or _SECRET)
    if invocation.form is Form.JSON:
        output.record(invocation.form, report.document(), columns=[])
    else:
        _say(invocation.form, report.summary)
    if not report.is_success:
        raise Failed(report.summary, hint=report.reason)
    if invocation.form is not Form.TABLE:
        invocation.notice(report.summary)


def _run(invocation: Invocation, folder: Path, *, to: str | None, secret: str) -> "Report":
    from leanbe_emitter.cli.demonstration import demonstrate  # noqa: PLC0415 - loads SQLAlchemy

    with _receiver(to, secret=secret, save=folder / "bodies") as receiver:
        url = receiver.url if receiver else str(to)
        _say(invocation.form, f"Leanbe's 22 events, signed and posted to {url}\n\n{_TITLES}")
        report = demonstrate(
            url,
            secret=secret,
            database=folder / "demo.db",
            settings=invocation.settings(),
            verdicts=receiver.verdicts() if receiver else None,
            show=lambda made: _show(invocation.form, made),
        )
    if receiver is not None:
        report.node = article_formula.judge(sorted((folder / "bodies").glob("*.json")), secret)
        _say(invocation.form, f"\n{report.remark_of_node}")
    return report


@contextmanager
def _receiver(to: str | None, *, secret: str, save: Path) -> Iterator[ReceiverProcess | None]:
    if to is not None:
        yield None
        return
    with ReceiverProcess.started(secret=secret, fail_first=1, save=save) as process:
        yield process


def _say(form: Form, words: str) -> None:
    """Print what is there for people: the other forms carry data only."""
    if form is Form.TABLE:
        output.text(words)


def _show(form: Form, made: "Made") -> None:
    if form is Form.TABLE:
        cells = (made.event, made.number, made.answer, made.verdict, f"{made.latency_ms:.1f} ms")
        output.text(output.printable(_LINE.format(*cells, made.next).rstrip()))
    elif form is not Form.JSON:
        output.row(form, made.document(), columns=_COLUMNS)
