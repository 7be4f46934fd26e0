"""Section of a failed test's report: the recorded events, the attempts and the answers.

The lines follow the order of the events, each with the time of the test's clock. They contain no
secret.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from leanbe_emitter.errors import LeanbeError
from leanbe_emitter.library import Attempt, Delivery, Entry, Leanbe, Probed
from leanbe_emitter.library.deliveries.delivery_report import in_one_line
from leanbe_emitter.storage.schema.states import JournalKind, Outcome
from leanbe_emitter.testing.probes import is_about_signatures
from leanbe_emitter.wire.explain.candidates import Candidate
from leanbe_emitter.wire.explain.explainer import Explanation, Verdict

#: Largest number of journal entries that the report shows: the last ones.
MOST_SHOWN = 60
#: Longest part of an answer's body that the report shows, in characters.
_LONGEST_ANSWER = 200
#: Number of digits at an id's end that identify it (the beginning is a time).
_SHOWN_OF_ID = 6
#: Statuses with which frameworks answer at a path without a webhook view.
_ABOUT_PLACES = frozenset({404, 405})
_QUESTION = "Does the receiver verify with the secret of Receiver(secret=...)?"
_INDENT = " " * len("00:00:00.000  ")


@dataclass(kw_only=True)
class MistakeList:
    """The long list of usual mistakes, which the reports of one run show only once.

    Attributes:
        is_shown: whether a report has shown it.
    """

    is_shown: bool = False


#: The list of a run that has no object of its own, as with unittest.
MISTAKES_OF_PROCESS = MistakeList()


def failure_report(
    leanbe: Leanbe, mistakes: MistakeList | None = None, probed: Probed | None = None
) -> str:
    """Return the history of a handle, and likely mistakes of a receiver that refused.

    Args:
        leanbe: the handle.
        mistakes: the list of usual mistakes of this run; by default, the report may show it.
        probed: what the receiver answered when it was asked which mistake it makes.
    """
    entries = list(leanbe.journal.read_all())
    explained = _explained(entries, mistakes or MistakeList(), probed)
    return "\n".join([*_log(entries), *_faults(leanbe), *explained])


def failure_report_or_reason(
    leanbe: Leanbe, mistakes: MistakeList | None = None, probed: Probed | None = None
) -> str:
    """Return the report, or the reason why it cannot be read; raise nothing."""
    try:
        return failure_report(leanbe, mistakes, probed)
    except Exception as error:  # noqa: BLE001 - nothing may hide the test's own failure
        return f"The report cannot be read: {type(error).__name__}: {error}"


def _log(entries: Sequence[Entry]) -> Iterator[str]:
    if not entries:
        yield "Nothing was recorded."
    if len(entries) > MOST_SHOWN:
        yield f"({len(entries) - MOST_SHOWN} earlier lines are left out)"
    for entry in entries[-MOST_SHOWN:]:
        yield from _lines(entry)


def _lines(entry: Entry) -> Iterator[str]:
    match entry.kind:
        case JournalKind.EVENT:
            event = entry.event
            yield f"{_time(event.triggered_at)}  {event.name}  {_destination(entry.delivery)}"
        case JournalKind.ATTEMPT if entry.attempt is not None:
            yield from _of_attempt(entry, entry.attempt)
        case _:
            yield f"{_INDENT}{entry.event.name}{_name(entry.delivery)} is {entry.status}"


def _destination(delivery: Delivery | None) -> str:
    if delivery is None:
        return "has no delivery: its product has no webhook for this event"
    state = "" if delivery.attempts else ", not attempted"
    return f"goes to {delivery.url}{_name(delivery)}{state}"


def _of_attempt(entry: Entry, attempt: Attempt) -> Iterator[str]:
    answered = "" if attempt.answer_status is None else f" {attempt.answer_status}"
    yield (
        f"{_time(attempt.started_at)}  {entry.event.name}{_name(entry.delivery)}  attempt "
        f"{attempt.number}: {attempt.outcome}{answered}  {attempt.duration_ms:.0f} ms"
    )
    if attempt.outcome is not Outcome.DELIVERED and attempt.shown_answer:
        yield f"{_INDENT}{in_one_line(attempt.shown_answer, longest=_LONGEST_ANSWER)}"
    if attempt.answer_status in _ABOUT_PLACES and not attempt.fault:
        yield f"{_INDENT}is the webhook at another path? Set it by Receiver(path=...)"
    if attempt.error:
        yield f"{_INDENT}{attempt.error}"
    if attempt.fault:
        yield f"{_INDENT}deliberately, by the fault {attempt.fault}"


def _faults(leanbe: Leanbe) -> Iterator[str]:
    faults = leanbe.faults.list()
    if faults:
        yield "Armed faults, in the order in which they fire:"
    yield from (f"- {each}" for each in faults)


def _explained(
    entries: Sequence[Entry], mistakes: MistakeList, probed: Probed | None
) -> Iterator[str]:
    """Yield the mistake, or likely ones, behind the last refusal that can concern a signature."""
    refused = next((each for each in reversed(entries) if is_about_signatures(each.attempt)), None)
    if refused is None or refused.delivery is None:
        return
    try:
        explanation = refused.delivery.explain(lang="python")
    except LeanbeError:  # it has no secret, or its product is gone
        return
    yield ""
    if probed is not None and probed.verdict is not Verdict.NOT_PROBED:
        yield from _told_by_receiver(probed, explanation)
        return
    yield f"Was {refused.event.name} refused because of its signature? {explanation.summary}"
    if explanation.verdict is not Verdict.BODY_SOUND:
        yield from _listed(explanation.mistakes)
        return
    yield _QUESTION
    if mistakes.is_shown:
        yield "The usual mistakes are listed in an earlier report of this run."
        return
    mistakes.is_shown = True
    yield "If it answers with the signature that it computed, its mistake is named here."
    yield "A receiver that computes one of these makes this mistake (frequent ones first):"
    yield from _listed(explanation.mistakes)


def _told_by_receiver(probed: Probed, explanation: Explanation) -> Iterator[str]:
    yield "The receiver was asked which mistake it makes; Receiver(probe=False) turns this off."
    yield probed.summary
    if probed.verdict is not Verdict.NONE_FITS:
        yield from _listed(probed.mistakes, has_signatures=False)
        yield from filter(None, [probed.hint])
        return
    yield _QUESTION
    yield "Nobody can sign a body with its own digest. So if it computes one of these instead:"
    cannot_be_asked = {each.mistake.name for each in probed.mistakes}
    yield from _listed(
        [each for each in explanation.mistakes if each.mistake.name in cannot_be_asked]
    )


def _listed(candidates: Sequence[Candidate], *, has_signatures: bool = True) -> Iterator[str]:
    for candidate in candidates:
        yield f"- {candidate.what}"
        signatures = candidate.signatures if has_signatures else ()
        yield from (f"    {signature}" for signature in signatures)
        yield f"    instead: {candidate.fixes[candidate.languages[0]]}"


def _time(instant: datetime) -> str:
    return instant.time().isoformat("milliseconds")


def _name(delivery: Delivery | None) -> str:
    return "" if delivery is None else f"  …{delivery.id[-_SHOWN_OF_ID:]}"
