"""The conformance checks as tests: one test a check, or one subtest a check."""

import warnings
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from leanbe_emitter.errors import InvalidValue

if TYPE_CHECKING:
    import pytest

    from leanbe_emitter.conformance.report import Diagnosis, Report, Result
    from leanbe_emitter.testing.receiver import Receiver


class ConformanceWarning(UserWarning):
    """A receiver refuses what it should refuse, but by crashing."""


def parametrize_with_checks(*checks: str, exclude: Sequence[str] = ()) -> "pytest.MarkDecorator":
    """Return a decorator that makes a test of each conformance check.

    The test takes the fixture ``leanbe_check`` and calls it. The receiver is the fixture
    ``leanbe_receiver``; the fixture ``leanbe_observe`` may return a function that shows what the
    receiver stored.

    Args:
        checks: ids and globs of checks (``signature.*``); none means all.
        exclude: ids and globs of checks to leave out.

    Raises:
        InvalidValue: an id or glob matches no check; the hint names the nearest.
    """
    import pytest  # noqa: PLC0415 - a suite of unittest has none

    from leanbe_emitter.conformance.checks.all_checks import chosen  # noqa: PLC0415 - slow

    ids = [check.id for check in chosen(checks, exclude=exclude)]
    return pytest.mark.parametrize("leanbe_check", ids, ids=ids, indirect=True)


def check_of(  # noqa: PLR0913 - a receiver, and what to check
    receiver: "Receiver",
    *,
    checks: Sequence[str],
    exclude: Sequence[str] = (),
    observe: Callable[[], Any] | None,
    assume: Mapping[str, str],
    seed: int,
) -> "Coroutine[Any, Any, Report]":
    """Return the run of checks of a suite's receiver, in process or at its URL.

    Raises:
        InvalidValue: the receiver has no secret, or is no receiver.
        InvalidTarget: its URL must not be called.
    """
    if receiver.secret is None:
        raise InvalidValue(
            "The receiver's secret is not known.",
            hint="Name it: Receiver(app, path=..., secret='whsec_test').",
        )
    given: dict[str, Any] = {"secret": receiver.secret, "checks": checks, "exclude": exclude}
    if not isinstance(receiver.app, str):
        from leanbe_emitter.conformance.check_app import AppCheck  # noqa: PLC0415 - slow

        return AppCheck(
            receiver.app, path=receiver.path, observe=observe, assume=assume, seed=seed, **given
        ).run()
    from leanbe_emitter.conformance.check_url import UrlCheck, Wanted  # noqa: PLC0415 - slow

    # What the receiver stored may be there since the last run: ids must be new.
    wanted = Wanted(url=receiver.url, assume=dict(assume), **given)
    return UrlCheck(wanted, observe=observe).run()


def driven(work: "Coroutine[Any, Any, Report]", receiver: "Receiver") -> "Report":
    """Run the checks for a caller without an event loop."""
    import asyncio  # noqa: PLC0415 - slow

    from leanbe_emitter.library.runtime.awaitables import drive  # noqa: PLC0415 - slow

    return asyncio.run(work) if isinstance(receiver.app, str) else drive(work)


def report_result(
    result: "Result",
    diagnosis: "Diagnosis | None",
    *,
    fail: Callable[[str], object],
    skip: Callable[[str], object],
) -> None:
    """Pass, fail, skip or warn, as the result says."""
    from leanbe_emitter.conformance.report import Verdict  # noqa: PLC0415 - slow

    match result.verdict:
        case Verdict.FAIL | Verdict.ERROR:
            fail(told(result, diagnosis))
        case Verdict.WARN:
            warnings.warn(told(result), ConformanceWarning, stacklevel=3)
        case Verdict.INCONCLUSIVE | Verdict.SKIPPED:
            skip(f"{result.id}: {result.got}")
        case _:
            return


def told(result: "Result", diagnosis: "Diagnosis | None" = None) -> str:
    """Return a finding as the lines of a test's failure."""
    return "\n".join(_lines(result, diagnosis))


def _lines(result: "Result", diagnosis: "Diagnosis | None") -> Iterator[str]:
    what = diagnosis.what if diagnosis is not None else result.cause or result.why
    fix = diagnosis.fix if diagnosis is not None and diagnosis.fix else result.fix
    yield f"{result.id} ({result.level.value}): {what}"
    yield f"  sent      {result.sent}"
    yield f"  expected  {result.expected}"
    yield f"  got       {result.got}"
    if line := fix.get("python"):
        yield f"  fix       {line}"
