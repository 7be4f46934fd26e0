"""What a failed test's report shows: what was recorded and sent, and how it was answered.

The lines stand in the order in which things happened, each with the time of the test's clock. They
hold no secret.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from leanbe_emitter.errors import LeanbeError
from leanbe_emitter.library import Attempt, Delivery, Entry, Leanbe
from leanbe_emitter.library.deliveries.delivery_report import in_one_line
from leanbe_emitter.storage.schema.states import JournalKind, Outcome
from leanbe_emitter.wire.explain.explainer import Candidate, Verdict

#: How many things that happened are shown: the last ones.
MOST_SHOWN = 60
#: How much of an answer's body is shown, in characters.
_LONGEST_ANSWER = 200
#: So many hexadecimal digits of an id's end tell it apart (the beginning is the time).
_SHOWN_OF_ID = 6
#: Answers by which a receiver may say that the signature does not fit.
_ABOUT_SIGNATURES = frozenset({400, 401, 403, 422})
#: Answers by which a framework says that nothing takes webhooks there.
_ABOUT_PLACES = frozenset({404, 405})
_INDENT = " " * len("00:00:00.000  ")


def evidence(leanbe: Leanbe) -> str:
    """Return what happened in a handle, and what may be wrong with a receiver that refused."""
    entries = list(leanbe.journal.read_all())
    return "\n".join([*_log(entries), *_faults(leanbe), *_explained(entries)])


def shown(leanbe: Leanbe) -> str:
    """Return the same or, where it cannot be read, why: nothing is raised beside a failure."""
    try:
        return evidence(leanbe)
    except Exception as error:  # noqa: BLE001 - the test's own failure is to be seen whatever comes
        return f"It cannot be read: {type(error).__name__}: {error}"


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
            yield f"{_time(entry.event.triggered_at)}  {entry.event.name}  {_owed(entry.delivery)}"
        case JournalKind.ATTEMPT if entry.attempt is not None:
            yield from _of_attempt(entry, entry.attempt)
        case _:
            yield f"{_INDENT}{entry.event.name}{_name(entry.delivery)} is {entry.status}"


def _owed(delivery: Delivery | None) -> str:
    if delivery is None:
        return "is owed to nobody: its product has no webhook that wants it"
    state = "" if delivery.attempts else ", and was never attempted"
    return f"is owed to {delivery.url}{_name(delivery)}{state}"


def _of_attempt(entry: Entry, attempt: Attempt) -> Iterator[str]:
    answered = "" if attempt.answer_status is None else f" {attempt.answer_status}"
    yield (
        f"{_time(attempt.started_at)}  {entry.event.name}{_name(entry.delivery)}  attempt "
        f"{attempt.number}: {attempt.outcome}{answered}  {attempt.duration_ms:.0f} ms"
    )
    if attempt.outcome is not Outcome.DELIVERED and attempt.shown_answer:
        yield f"{_INDENT}{in_one_line(attempt.shown_answer, longest=_LONGEST_ANSWER)}"
    if attempt.answer_status in _ABOUT_PLACES and not attempt.fault:
        yield f"{_INDENT}is the webhook somewhere else? Receiver(path=...) says where it is"
    if attempt.error:
        yield f"{_INDENT}{attempt.error}"
    if attempt.fault:
        yield f"{_INDENT}on purpose, by the fault {attempt.fault}"


def _faults(leanbe: Leanbe) -> Iterator[str]:
    faults = leanbe.faults.list()
    if faults:
        yield "Faults that were armed, in the order in which they fire:"
    yield from (f"- {each}" for each in faults)


def _explained(entries: Sequence[Entry]) -> Iterator[str]:
    """Yield what may be the mistake behind the last refusal that can be about a signature."""
    refused = next((each for each in reversed(entries) if _is_about_signatures(each)), None)
    if refused is None or refused.delivery is None:
        return
    try:
        explanation = refused.delivery.explain()
    except LeanbeError:  # it has no secret, or its product is gone
        return
    yield ""
    yield f"Is it the signature that {refused.event.name} was refused for? {explanation.summary}"
    if explanation.verdict is Verdict.BODY_SOUND:
        yield "Does the receiver verify with that one, too, which Receiver(secret=...) says?"
    if explanation.mistakes:
        yield "A receiver that computes one of these makes that mistake, the usual ones first:"
    for candidate in explanation.mistakes:
        yield from _of_mistake(candidate)


def _of_mistake(candidate: Candidate) -> Iterator[str]:
    yield f"- {candidate.mistake.what}"
    yield from (f"    {signature}" for signature in candidate.signatures)
    yield f"    instead: {candidate.mistake.fix_python}"


def _is_about_signatures(entry: Entry) -> bool:
    attempt = entry.attempt
    return (
        attempt is not None
        and attempt.outcome is Outcome.REFUSED
        and attempt.answer_status in _ABOUT_SIGNATURES
    )


def _time(instant: datetime) -> str:
    return instant.time().isoformat("milliseconds")


def _name(delivery: Delivery | None) -> str:
    return "" if delivery is None else f"  …{delivery.id[-_SHOWN_OF_ID:]}"
