"""The command ``check``: is this receiver right?"""

import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from leanbe_emitter.cli.invocation import output, shared_options
from leanbe_emitter.cli.invocation.commands import command
from leanbe_emitter.cli.invocation.exit_status import Failed
from leanbe_emitter.cli.invocation.invocation import Invocation
from leanbe_emitter.cli.invocation.output import OutputFormat
from leanbe_emitter.cli.invocation.param_types import EVENT, HEADER, REPORT, SECRET, as_mapping
from leanbe_emitter.cli.invocation.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from leanbe_emitter.conformance.report import Report

_CHECKS = [output.column(key) for key in ("id", "level", "needs", "meaning")]
_RESULTS = [output.column(key) for key in ("id", "level", "verdict", "got")]
_ACTIONS = "GITHUB_ACTIONS"


@command(
    "check", example="leanbe-emitter check http://127.0.0.1:8000/hooks/leanbe --secret whsec_test"
)
@click.argument("url", required=False)
@click.argument("checks", nargs=-1, metavar="[CHECK...]")
@click.option("--secret", type=SECRET, help="The receiver's secret: text, env:NAME or @FILE.")
@click.option("--exclude", multiple=True, metavar="GLOB", help="Leave out these checks.")
@click.option("--strict", is_flag=True, help="Fail for a should or for anything unproven, too.")
@click.option("--list", "is_list", is_flag=True, help="List the checks, and send nothing.")
@click.option(
    "--observe", default="", metavar="CMD", help="Command that prints what was stored, as JSON."
)
@click.option("--observe-url", default="", metavar="URL", help="URL that shows it, as JSON.")
@click.option(
    "--observe-header",
    "observe_headers",
    type=HEADER,
    multiple=True,
    metavar="NAME:VALUE",
    help="A header for that URL.",
)
@shared_options.duration("--settle", "300ms", "How long the observation must not change.")
@shared_options.duration("--settle-timeout", "10s", "How long to wait for that.")
@click.option(
    "--start", default="", metavar="CMD", help="Start the receiver, kill it on the way, end it."
)
@shared_options.duration("--deadline", "5s", "How long the slowest answer may take.")
@shared_options.duration("--timeout", "10s", "How long to wait for an answer.")
@shared_options.headers
@shared_options.assume
@shared_options.certificate_options
@shared_options.allow_targets("Hosts and CIDRs beyond loopback and private networks.")
@click.option(
    "--event",
    "events",
    type=EVENT,
    multiple=True,
    metavar="NAME",
    help="Check duplicates of this event; default: the first that has an effect.",
)
@click.option("--seed", type=int, metavar="N", help="Repeat the ids of a run.")
@click.option(
    "--report",
    "reports",
    type=REPORT,
    multiple=True,
    metavar="FORMAT[=FILE]",
    help="json, junit, markdown or github; to a file, or instead of the text.",
)
@shared_options.lang
@click.pass_obj
def check(  # noqa: PLR0913 - one argument for each option
    invocation: Invocation,
    /,
    *,
    url: str | None,
    secret: str | None,
    is_list: bool,
    strict: bool,
    reports: tuple[tuple[str, str], ...],
    allow_targets: tuple[str, ...] | None,
    assume: tuple[tuple[str, str], ...],
    settle: float,
    settle_timeout: float,
    deadline: float,
    timeout: float,
    lang: str | None,
    **given: Any,
) -> None:
    """Check a receiver in any language: is it right?

    Sends right and forged events, and reports each mistake with the line to change. With --observe
    or --observe-url it also sees whether duplicates have an effect. Both only read, and print one
    JSON value: a count will do. No shell runs a command.

    Exits with 0 if no "must" failed, else with 1. Forged requests go to loopback and private
    networks only, unless --allow-targets names the receiver.
    """
    if is_list:
        _print_list(invocation)
        return
    if url is None or secret is None:
        raise click.UsageError("Give the receiver's URL and its --secret.")
    if given["observe"] and given["observe_url"]:
        raise click.UsageError("Give --observe or --observe-url, not both.")
    from leanbe_emitter.conformance.check_url import UrlCheck, Wanted  # noqa: PLC0415 - loads SQLAlchemy

    settings = invocation.settings(
        **({} if allow_targets is None else {"allow_targets": allow_targets})
    )
    wanted = Wanted(
        url=url,
        secret=secret,
        assume=dict(as_mapping(assume)),
        settle_seconds=settle,
        settle_timeout_seconds=settle_timeout,
        deadline_seconds=deadline,
        timeout_seconds=timeout,
        language=lang,
        **given,
    )
    report = asyncio.run(UrlCheck(wanted, settings=settings).run())
    _print_reports(invocation, report, reports, language=lang)
    if not report.is_success(strict=strict):
        raise Failed(_summary(report))


def _print_list(invocation: Invocation) -> None:
    from leanbe_emitter.conformance.checks.all_checks import CHECKS  # noqa: PLC0415 - loads SQLAlchemy

    rows = [
        {
            "id": each.id,
            "level": each.level.value,
            "needs": ", ".join(sorted(need.value for need in each.needs)),
            "meaning": f"{each.sends} -> {each.expects}",
        }
        for each in CHECKS
    ]
    output.print_rows(invocation.output_format, rows, columns=_CHECKS)


def _print_reports(
    invocation: Invocation,
    report: "Report",
    reports: tuple[tuple[str, str], ...],
    *,
    language: str | None,
) -> None:
    is_printed = False
    for name, file in reports:
        text = _formats(language)[name](report)
        if file:
            Path(file).write_text(text, "utf-8")
        else:
            output.print_text(text.rstrip("\n"))
            is_printed = True
    if not is_printed:
        _print_text(invocation, report, language=language)
    if os.environ.get(_ACTIONS) and all(name != "github" for name, _ in reports):
        output.print_text(_formats(language)["github"](report).rstrip("\n"))


def _formats(language: str | None) -> "Mapping[str, Callable[[Report], str]]":
    from leanbe_emitter.conformance.report_formats import as_github, as_junit, as_markdown  # noqa: PLC0415 - as above

    return {
        "json": lambda report: output.json_text(report.document(), indent=2),
        "junit": as_junit,
        "markdown": lambda report: as_markdown(report, language=language),
        "github": as_github,
    }


def _print_text(invocation: Invocation, report: "Report", *, language: str | None) -> None:
    from leanbe_emitter.cli.receive.check_report import lines_of  # noqa: PLC0415 - as above

    match invocation.output_format:
        case OutputFormat.JSON:
            output.print_document(invocation.output_format, report.document(), columns=[])
        case OutputFormat.TABLE:
            terminal = Terminal.of(sys.stdout)
            for line in lines_of(report, terminal, language=language, curl=invocation.verbose):
                output.print_text(line)
        case others:
            documents = [each.document() for each in report.results]
            output.print_rows(others, documents, columns=_RESULTS)


def _summary(report: "Report") -> str:
    counts = report.counts
    told = [f"{counts[key]} {key}" for key in ("fail", "warn", "error", "inconclusive")]
    return f"The receiver is not right: {', '.join(told)}."
